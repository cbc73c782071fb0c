"""Lines of srun: those of helpers, by the number of the task, and its own."""

from __future__ import annotations

import re

from pymigrate.launchers.last_words import Said
from pymigrate.launchers.number_set import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["said"]

# By --label; and "srun: error: h[2-3]: tasks 1-2: Exited with exit code 1".
_LABELLED = re.compile(r" *([0-9]+): (.*)", re.DOTALL)
_ENDED = re.compile(r"srun: error: (\S+): tasks? ([0-9,-]+): (.*)")
# "srun: error: Task launch for StepId=7.1 failed on node h2: Communication connection failure".
_NOT_BEGUN = re.compile(r"srun: error: (Task launch for \S+ failed on node (\S+): .*)")


def said(line: str, hosts: Sequence[str], crews: Sequence[Sequence[str]]) -> Said:
    """Whose a line is.

    Args:
        line: From standard output or error.
        hosts: Of the tasks, in their order.
        crews: The same, those of each component of the job for itself.
    """
    labelled = _LABELLED.match(line)
    if labelled:
        task = int(labelled[1])
        return Said(labelled[2], host=hosts[task] if task < len(hosts) else "")
    lost = _NOT_BEGUN.fullmatch(line)
    if lost and lost[2] in hosts:
        return Said(lost[1], lost=[lost[2]])
    ended = _ENDED.fullmatch(line)
    return Said(ended[3], ended=_meant(ended[1], ended[2], crews)) if ended else Said(line)


def _meant(hosts: str, tasks: str, crews: Sequence[Sequence[str]]) -> list[str]:
    """The hosts of a line; in these srun counts the tasks of each component from 0."""
    if any(hosts in crew for crew in crews):
        return [hosts]
    if (
        len(crews) > 1
    ):  # of the names it has made an expression, and whose the numbers are it does not say
        return []
    return [crews[0][task] for task in numbers(tasks) if task < len(crews[0])]
