"""The part of a Slurm job that is on this host: its processes and their ranks."""

from __future__ import annotations

import os
from typing import NamedTuple

from pymigrate import _files
from pymigrate.errors import KernelError, LauncherError
from pymigrate.jobs.job import Job
from pymigrate.launchers.here import host_name
from pymigrate.launchers.lineage import ancestors, inherited
from pymigrate.launchers.programs import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# In the words of scontrol: of a job that was here, and of one that was not.
_NONE_HERE = ("There are no steps for job", "does not exist on node")

__all__ = ["Listed", "SlurmPart", "parse_listpids"]


class Listed(NamedTuple):
    """A process as ``scontrol listpids`` has it: rank is SLURM_PROCID, and of tasks alone."""

    pid: int
    step: str
    rank: int | None


class SlurmPart:
    """The processes of a job or a step on this host, asked for anew each time.

    Args:
        identity: As Slurm has it: ``1234``, ``1234.0``.
    """

    def __init__(self, identity: str) -> None:
        self._job, _, self._step = identity.partition(".")
        self._numbers: dict[int, int] = {}

    def host(self) -> str:
        """How Slurm calls this host."""
        return os.environ.get("SLURMD_NODENAME") or host_name()

    def job(self) -> Job:
        """The processes, those that are forked late among them. The helper's own step is not."""
        return Job(self._members)

    def ranks(self) -> Mapping[int, int]:
        """The rank of each process that was found; the batch script has none."""
        return self._numbers

    def _members(self) -> list[int]:
        own = {os.getpid(), *ancestors(os.getpid())}
        own_step = self._own_step()
        listed = [row for row in self._list() if row.pid not in own and row.step != own_step]
        if self._step:
            listed = [row for row in listed if row.step == self._step]
        pids = [row.pid for row in listed]
        tasks = {row.pid: row.rank for row in listed if row.rank is not None}
        self._numbers.update(inherited(pids, tasks))
        return pids

    def _own_step(self) -> str | None:
        """The step that this process itself is in, if it is one of the same job."""
        same = os.environ.get("SLURM_JOB_ID") == self._job
        return os.environ.get("SLURM_STEP_ID") if same else None

    def _list(self) -> Iterator[Listed]:
        """What slurmd knows of this host alone.

        Raises:
            EngineMissing, LauncherError: It cannot be asked.
        """
        # All steps, as it takes no step by name, such as batch. By the name of the node, where
        # Slurm has told it: that can be another one than the host's.
        node = os.environ.get("SLURMD_NODENAME")
        answer = ask(["scontrol", "listpids", self._job, *([node] if node else [])], "Slurm")
        # Where the host has no process of it, that is no fault.
        if answer.returncode and not any(words in answer.stderr for words in _NONE_HERE):
            told = " ".join(answer.stderr.split())
            raise LauncherError(f"scontrol listpids {self._job} failed: {told}")
        return (row for row in parse_listpids(answer.stdout) if not _is_manager(row.pid))


def _is_manager(pid: int) -> bool:
    """Whether it is Slurm's own manager of a step: with proctrack/cgroup it is listed too."""
    try:
        return _files.read_status(pid)["Name"] == "slurmstepd"
    except KernelError:
        return False


def parse_listpids(text: str) -> Iterator[Listed]:
    """Lines of PID, JOBID, STEPID, LOCALID and GLOBALID; a dash where there is no number.

    Slurm prints -1 for a pid where a step has none.
    """
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and words[0].isdecimal():
            numbered = words[2].isdecimal() and words[4].isdecimal()
            yield Listed(int(words[0]), words[2], int(words[4]) if numbered else None)
