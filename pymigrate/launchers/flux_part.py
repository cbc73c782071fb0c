"""The part of a Flux job that is on this host: its processes and their ranks.

Flux gives each task ``FLUX_JOB_ID`` and ``FLUX_TASK_RANK`` (flux-environment(7)), and what a task
starts has them from it: so they tell the members, those that are forked late among them, and nobody
has to be asked.
"""

from __future__ import annotations

import os
from contextlib import suppress

from pymigrate.jobs.job import Job
from pymigrate.launchers.here import host_name
from pymigrate.launchers.lineage import ancestors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FluxPart"]


class FluxPart:
    """The processes of a job on this host that may be looked at, found anew each time.

    Args:
        identity: The id as Flux writes it, beginning with an f of whatever kind.
    """

    def __init__(self, identity: str) -> None:
        self._job = _bare(identity)
        self._numbers: dict[int, int] = {}

    def host(self) -> str:
        """The name of this host."""
        return host_name()

    def job(self) -> Job:
        """The processes; the caller and those that it came from are none of them."""
        return Job(self._members)

    def ranks(self) -> Mapping[int, int]:
        """The rank of each process that was found."""
        return self._numbers

    def _members(self) -> list[int]:
        own = {os.getpid(), *ancestors(os.getpid())}
        found = dict(self._ranked())
        self._numbers.update((pid, rank) for pid, rank in found.items() if pid not in own)
        return [pid for pid in found if pid not in own]

    def _ranked(self) -> Iterator[tuple[int, int]]:
        for name in os.listdir("/proc"):
            if name.isdecimal():
                variables = _environment(int(name))
                rank = variables.get("FLUX_TASK_RANK", "")
                if rank.isdecimal() and _bare(variables.get("FLUX_JOB_ID", "")) == self._job:
                    yield int(name), int(rank)


def _environment(pid: int) -> dict[str, str]:
    """The environment that a process was started with; nothing where it is not to be seen."""
    text = b""
    with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        text = file.read()
    pairs = (part.partition("=") for part in os.fsdecode(text).split("\0"))
    return {name: value for name, _, value in pairs}


def _bare(identity: str) -> str:
    """The id without the sign of its form, which is an f or, where there is UTF-8, a script f."""
    return identity[1:] if identity[:1] in ("f", "\N{LATIN SMALL LETTER F WITH HOOK}") else identity
