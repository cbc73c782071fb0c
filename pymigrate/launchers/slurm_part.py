"""The part of a Slurm job that is on this host: its processes and their ranks."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from pymigrate import _files
from pymigrate.errors import EngineMissing, LauncherError, NoSuchProcess, NotPermitted
from pymigrate.launchers.lineage import ancestors, inherited
from pymigrate.launchers.marks import environment_of
from pymigrate.launchers.part import Part, Place
from pymigrate.launchers.programs import ask, words_of
from pymigrate.launchers.slurm_queue import PACKAGE, is_part_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from subprocess import CompletedProcess

# In the words of scontrol: of a job that was here, and of one that was not.
_NONE_HERE = ("There are no steps for job", "does not exist on node")
# Of a step that ends meanwhile; its manager may have gone, and its socket not yet.
_ENDING = ("does not exist on this node", "Unable to connect to slurmstepd")
_TRIES = 5
_PAUSE = 0.2  # seconds

# What launchers of MPI tell their ranks: Open MPI's, whatever goes by PMIx, Hydra and its like.
_OF_MPI = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")

_MANAGER = "slurmstepd"
_WAYS_IN = ("sshd", "sshd-session")

__all__ = ["Listed", "SlurmPart", "parse_listpids"]


class Listed(NamedTuple):
    """A process as ``scontrol listpids`` has it: rank is SLURM_PROCID, and of tasks alone."""

    pid: int
    job: str
    step: str
    rank: int | None


class SlurmPart(Part):
    """The processes of a job, of one of its steps, or of several jobs, on this host.

    Args:
        identity: By the numbers that each job has for itself: ``1234``, ``1234.0``; ``1234,1235``
            of a heterogeneous job, whose components are jobs of their own.
    """

    def __init__(self, identity: str) -> None:
        super().__init__()
        jobs, _, self._step = identity.partition(".")
        self._jobs = jobs.split(",")

    def host(self) -> str:
        """How Slurm calls this host."""
        return os.environ.get("SLURMD_NODENAME") or super().host()

    def _find(self) -> Mapping[int, Place]:
        rows = [row for job in self._jobs for row in _listed(job)]
        rows = [row for row in rows if not self._step or is_part_of(row.step, self._step)]
        tasks = {row.pid: row.rank for row in rows if row.rank is not None}
        lines = {row.pid: [row.pid, *ancestors(row.pid)] for row in rows}
        ranks = inherited(lines, _with_those_of_mpi(tasks, lines))
        return {row.pid: Place(ranks.get(row.pid), f"{row.job}.{row.step}") for row in rows}


def _with_those_of_mpi(
    tasks: Mapping[int, int], lines: Mapping[int, Sequence[int]]
) -> dict[int, int]:
    """Ranks by pid, also of those that a launcher of MPI has started, such as mpirun.

    Slurm has numbered its daemons, which are no ranks: below them processes are told ranks that the
    one that Slurm has started, a daemon or the batch script, was not.
    """
    told = {pid: _rank_of_mpi(pid) for pid in lines}
    ranks = dict(tasks)
    for pid, rank in told.items():
        first = [it for it in lines[pid] if it in told][-1]
        if rank is not None and rank != told[first]:
            ranks[pid] = rank
            ranks.pop(first, None)
    return ranks


def _rank_of_mpi(pid: int) -> int | None:
    variables = environment_of(pid)
    return next((int(it) for it in map(variables.get, _OF_MPI) if it and it.isdecimal()), None)


def _listed(job: str) -> Iterator[Listed]:
    """What slurmd knows of a job on this host alone.

    Raises:
        EngineMissing, LauncherError: It cannot be asked.
    """
    # All steps, as it takes no step by name, such as batch. By the name of the node, where Slurm
    # has told it: that can be another one than the host's.
    node = os.environ.get("SLURMD_NODENAME")
    answer = _answer(["scontrol", "listpids", job, *([node] if node else [])])
    # Where the host has no process of it, that is no fault.
    if answer.returncode and not any(words in answer.stderr for words in _NONE_HERE):
        raise LauncherError(f"scontrol listpids {job} failed: {words_of(answer)}")
    return (row for row in parse_listpids(answer.stdout) if not _is_no_work(row))


def _answer(command: Sequence[str]) -> CompletedProcess[str]:
    """What scontrol answers; asked again while a step ends, for which it fails as a whole."""
    try:
        for _ in range(_TRIES - 1):
            answer = ask(command, PACKAGE)
            if not any(words in answer.stderr for words in _ENDING):
                return answer
            time.sleep(_PAUSE)
        return ask(command, PACKAGE)
    except EngineMissing:
        raise EngineMissing(
            "there is no scontrol on the PATH of this host",
            reason="no-engine",
            remedy="install the commands of Slurm on it, or give them by "
            "--command 'env PATH=... pymigrate', as a login by ssh may have another PATH",
        ) from None


def _is_no_work(row: Listed) -> bool:
    """Whether it is Slurm's own, or the way in of a login, and no part of what the job does.

    With proctrack/cgroup the manager of each step is listed too. The step that keeps the job's
    place on a host (PrologFlags=Contain) has a child of its manager, which sleeps, and the logins
    that pam_slurm_adopt(8) has put there: these begin with an sshd of root's.
    """
    try:
        status = _files.read_status(row.pid)
        if status["Name"] == _MANAGER:
            return True
        if row.step != "extern":
            return False
        parent = _files.read_status(int(status["PPid"]))
    except (NoSuchProcess, NotPermitted):
        return False
    return parent["Name"] == _MANAGER or (status["Name"] in _WAYS_IN and _is_of_root(row.pid))


def _is_of_root(pid: int) -> bool:
    """Whether root alone may look into it, as into what has changed its user (proc(5))."""
    try:
        return os.stat(f"/proc/{pid}/stat").st_uid == 0
    except OSError:
        return False


def parse_listpids(text: str) -> Iterator[Listed]:
    """Lines of PID, JOBID, STEPID, LOCALID and GLOBALID; a dash where there is no number.

    Slurm prints -1 for a pid where a step has none.
    """
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and words[0].isdecimal():
            numbered = words[2][0].isdecimal() and words[4].isdecimal()
            rank = int(words[4]) if numbered else None
            yield Listed(int(words[0]), words[1], words[2], rank)
