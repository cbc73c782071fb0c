"""What an engine said on standard error, where a host or all of them have not answered."""

from __future__ import annotations

import re
import shlex

from pymigrate.errors import HelperMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["about", "missing_helper", "no_answer"]

# In the words of execve(2) by way of slurmstepd, of shells, and of the interpreter.
_MISSING = re.compile(
    r"execve\(\): .*|.*[Nn]o such file or directory|.*not found|.*No module named .*"
)


def missing_helper(command: Sequence[str], words: str) -> HelperMissing | None:
    """The error that there is no pymigrate on the hosts, if that is what the words mean."""
    lines = [line for line in words.splitlines() if _MISSING.fullmatch(_bare(line))]
    if not lines:
        return None
    return HelperMissing(
        f"pymigrate is not on the hosts as {shlex.join(command)}: {_bare(lines[0])}",
        reason="no-helper",
        remedy="install the same release there, or say with --command how it is called",
    )


def no_answer(why: str) -> str:
    """What to tell of a host whose helper has ended too early."""
    return (
        f"{why or 'it ended without an answer'}; is the same release of pymigrate there? --command "
        "names it if it is elsewhere than here"
    )


def about(host: str, words: str) -> str:
    """The first line that names a host, or else the last of all."""
    lines = words.splitlines() or [""]
    named = re.compile(rf"(?<![\w-]){re.escape(host)}(?![\w-])|-{re.escape(host)}:")
    return next((line for line in lines if named.search(line)), lines[-1]).strip()


def _bare(line: str) -> str:
    """Without who says it: ``slurmstepd-h2: error: execve(): ...``."""
    return re.sub(r"^(?:slurmstepd-\S+|srun): (?:error: )?", "", line).strip()
