"""What was said on standard error, where a host or all of them have not answered."""

from __future__ import annotations

import re
import shlex
from collections import deque
from typing import NamedTuple

from pymigrate.errors import HelperMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LastWords", "Said", "missing_helper", "no_answer"]

_KEPT = 20  # lines, of whomever
_LONGEST = 400  # characters of a line, as one is kept for each host

# In the words of execve(2) by way of slurmstepd, of shells, and of the interpreter.
_MISSING = re.compile(
    r".*execve\(\): .*|.*[Nn]o such file or directory|.*not found|.*No module named .*"
)

_BY_ENGINE = ("Killed", "Terminated")  # how helpers end that an engine has ended


class Said(NamedTuple):
    """A line.

    Attributes:
        text: The words.
        host: Of the helper that has said it; empty where it is the engine's own.
        ended: Hosts of whose helpers the engine tells the end by it.
        lost: Hosts on which it could start no helper, for which it ends all others.
    """

    text: str
    host: str = ""
    ended: Sequence[str] = ()
    lost: Sequence[str] = ()


class LastWords:
    """What was said on standard error.

    Args:
        said: Tells whose a line is.
    """

    def __init__(self, said: Callable[[str], Said]) -> None:
        self._said = said
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._of_engine: deque[str] = deque(maxlen=_KEPT)
        self._own: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        self._lost: dict[str, str] = {}

    def take(self, line: str) -> None:
        """Takes a line."""
        said = self._said(line)
        if not said.text.strip():
            return
        text = said.text.strip()[:_LONGEST]
        if said.host:
            self._own[said.host] = text
        for host in said.ended:
            self._ends[host] = text
        for host in said.lost:
            self._lost[host] = text
        self._lines.append(text if said.host else line.strip())
        if not (said.host or said.ended or said.lost):
            self._of_engine.append(text)

    @property
    def of_hosts(self) -> bool:
        """Whether anything was heard of single hosts, which their rows tell."""
        return bool(self._own or self._ends or self._lost)

    def __str__(self) -> str:
        """The last lines of all."""
        return "\n".join(self._lines)

    def about(self, host: str) -> str:
        """How the helper of a host ended and what it said last; else what the engine says."""
        if host in self._lost:
            return self._lost[host]
        if self._lost and self._ends.get(host) in (None, *_BY_ENGINE):
            why = next(iter(self._lost.values()))
            return f"ended as another host failed, and what has been done is not known: {why}"
        own = [words[host] for words in (self._ends, self._own) if host in words]
        return ": ".join(own) or self._named(host)

    def _named(self, host: str) -> str:
        """The first line that names a host, or else the last one."""
        named = re.compile(rf"(?<![\w-]){re.escape(host)}(?![\w-])|-{re.escape(host)}:")
        last = self._of_engine[-1] if self._of_engine else ""
        return next((line for line in self._of_engine if named.search(line)), last)


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
    if why and not _MISSING.fullmatch(why):
        return why
    return (
        f"{why or 'it ended without an answer'}; is the same release of pymigrate there? --command "
        "names it if it is elsewhere than here"
    )


def _bare(line: str) -> str:
    """Without who says it: ``slurmstepd-h2: error: execve(): ...``."""
    engine = r"(?:slurmstepd-\S+|srun|flux-exec): (?:error: |Error: rank [0-9]+: )?"
    return re.sub(f"^{engine}", "", line).strip()
