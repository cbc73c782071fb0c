"""The part of a job that is on this host, whichever engine runs it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import NamedTuple

from pymigrate.jobs.job import Job
from pymigrate.launchers.here import host_name
from pymigrate.launchers.lineage import ancestors
from pymigrate.launchers.marks import is_helper, launcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Part", "Place"]


class Place(NamedTuple):
    """What a process is in its job: its rank, and its step; None and empty where it has none."""

    rank: int | None = None
    step: str = ""


class Part(ABC):
    """The processes of a job on this host, found anew each time.

    Neither the caller is one of them, nor those that it came from, nor the command that has it
    started, nor the helpers of anybody else who deals with the same job.
    """

    def __init__(self) -> None:
        self._ranks: dict[int, int] = {}
        self._steps: dict[int, str] = {}

    def host(self) -> str:
        """The name of this host, as the engine has it."""
        return host_name()

    def job(self) -> Job:
        """The processes, those that are forked late among them."""
        return Job(self._members)

    def ranks(self) -> Mapping[int, int]:
        """Their numbers in the job, by pid; of those that were found so far, and have one."""
        return self._ranks

    def steps(self) -> Mapping[int, str]:
        """The steps of the job that they are in, by pid, as the engine names them; likewise."""
        return self._steps

    @abstractmethod
    def _find(self) -> Mapping[int, Place]:
        """All processes of the job that are here, by pid."""

    def _members(self) -> list[int]:
        own = {os.getpid(), *ancestors(os.getpid()), launcher()}
        found = {
            pid: place
            for pid, place in self._find().items()
            if pid not in own and not is_helper(pid)
        }
        self._ranks.update((pid, p.rank) for pid, p in found.items() if p.rank is not None)
        self._steps.update((pid, p.step) for pid, p in found.items() if p.step)
        return list(found)
