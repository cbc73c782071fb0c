"""Lines of flux-exec(1): those of helpers, by the rank of the broker, and its own.

As flux-core's src/cmd/flux-exec.c composes them, in output_cb(), state_cb(), output_exitsets(),
signal_cb() and get_jobid_rexec_info() (read at commit 0064fc128ef7).
"""

from __future__ import annotations

import re
import signal

from pymigrate.launchers.last_words import Said
from pymigrate.launchers.number_set import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["not_yours", "said"]

_LABELLED = re.compile(r"([0-9]+): (.*)", re.DOTALL)  # by --label-io
_NOT_STARTED = re.compile(r"flux-exec: Error: rank ([0-9]+): (.*)")
_SIGNALS = filter(None, map(signal.strsignal, signal.valid_signals()))
# Told at the end, of one rank or of several that ended alike; the second interrupt ends it anyway.
_ENDED = re.compile(
    r"(?:([0-9]+)|\[([0-9,-]+)\]): "
    rf"(Exit [0-9]+|command still running at exit|{'|'.join(map(re.escape, _SIGNALS))})"
)
# From the job's shells, and from the broker about a log that only the owner may read.
_NOT_YOURS = re.compile(
    r"owner|credentials|signature|failed to get shell\.init|[Nn]ot permitted|[Pp]ermission denied"
)


def said(line: str, hosts: Mapping[int, str]) -> Said:
    """Whose a line is.

    Args:
        line: From standard output or error.
        hosts: Of the brokers of the job, by their ranks.
    """
    ended = _ENDED.fullmatch(line)
    if ended:
        return Said(ended[3], ended=_named(ended[1] or ended[2], hosts))
    failed = _NOT_STARTED.fullmatch(line)
    if failed and not not_yours(line):
        return Said(failed[2], ended=_named(failed[1], hosts))
    labelled = _LABELLED.fullmatch(line)
    return Said(labelled[2], host=hosts.get(int(labelled[1]), "")) if labelled else Said(line)


def not_yours(words: str) -> bool:
    """Whether they say that a job belongs to somebody else."""
    return bool(_NOT_YOURS.search(words))


def _named(ranks: str, hosts: Mapping[int, str]) -> list[str]:
    return [hosts[rank] for rank in numbers(ranks) if rank in hosts]
