"""``migrate_job()``: the ranks of an MPI communicator, migrated in one collective call."""

from __future__ import annotations

import os
import sys
import time

from pymigrate._checks import check_count
from pymigrate.errors import InvalidType, WorldOfOne, quote
from pymigrate.launchers.cluster_report import ClusterReport
from pymigrate.launchers.held import Held, interrupts_held
from pymigrate.launchers.inside import answer
from pymigrate.launchers.launched import tasks_launched
from pymigrate.launchers.mpi_agreement import agreed
from pymigrate.launchers.mpi_hosts import neighbours
from pymigrate.launchers.wish import Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from mpi4py import MPI

    from pymigrate.nodemask import Nodes

__all__ = ["migrate_job"]

# A rank that waits does not keep a CPU from those that migrate, as MPI's own waiting would.
_FIRST_PAUSE = 0.0001
_LONGEST_PAUSE = 0.01


def migrate_job(
    comm: MPI.Comm,
    old: Nodes | None = None,
    new: Nodes | None = None,
    *,
    root: int | None = None,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    workers: int = 2,
) -> ClusterReport | None:
    """Migrates the memory of all ranks, and tells what became of it on every host. Collective.

    On each host the lowest rank acts for the ranks there, as one job: pages that they share move
    once. What fails on a host is its row in the report, and stops no other; what makes no sense is
    refused on every rank, before anything moved. The report is gathered in a tree, and no rank
    holds more than one row for each host and ``cluster_report.RANKS_KEPT`` rows of ranks.

    Args:
        comm: The ranks; all of them call this, with the same arguments.
        old: Nodes to move pages from, or a rule.
        new: Nodes to move them to. Where node numbers differ by host or rank, a rule, then without
            ``old``: ``"home"`` (the nodes of the CPUs that a rank may use), ``"local"`` (of those
            that it ran on), ``"gpu"``, ``"cpuset"``, ``"device:ib0"``.
        root: The rank that gets the report; None: all of them do.
        shared: Whether pages that several processes map are moved; None: where that is permitted.
        rate: Bytes that may move in a second on each host.
        max_stall: Seconds that one step may hold a process up.
        workers: Ranks that are dealt with at the same time on each host.

    Returns:
        The report; None on ranks that are not the root.

    Raises:
        InvalidArgument: An argument makes no sense, or differs between ranks.
        WorldOfOne: MPI knows of this process alone, but it was started with others.
        KeyboardInterrupt: Once all ranks have their report of what had been done. What this rank
            would have returned is its attribute ``report``.
    """
    check_communicator(comm)

    def prepare() -> tuple[Wish, int | None]:
        check_launch(comm)
        if root is not None:
            check_count("root", root, 0, comm.size - 1)
        return Wish("migrate", old, new, shared, rate, max_stall, workers), root

    report: ClusterReport | None = None
    try:
        with interrupts_held() as held:
            wish, _ = agreed(comm, prepare, _words)
            part = _act(comm, wish, held)
            _wait_for_all(comm)
            report = comm.allreduce(part) if root is None else comm.reduce(part, root=root)
    except KeyboardInterrupt as interrupt:  # on every rank, where the launcher passes it on to all
        interrupt.report = report  # type: ignore[attr-defined]
        raise
    return report


def check_communicator(comm: object) -> None:
    """Refuses what no rank could meet the others in.

    Raises:
        InvalidType: It is no intracommunicator of mpi4py.
    """
    library: ModuleType | None = sys.modules.get("mpi4py.MPI")  # to import it would start MPI
    if library is None or not isinstance(comm, library.Intracomm) or comm == library.COMM_NULL:
        raise InvalidType(f"comm {quote(comm)}: give an intracommunicator, such as MPI.COMM_WORLD")


def check_launch(comm: MPI.Comm) -> None:
    """Refuses a world of one process that a launcher has started with others.

    With another PMI than that of its MPI library each task becomes a world of its own, in silence.

    Raises:
        WorldOfOne: That is what has happened; not for MPI.COMM_SELF, which means one process.
    """
    from mpi4py import MPI

    if MPI.COMM_WORLD.Get_size() > 1 or comm == MPI.COMM_SELF:
        return
    tasks, launcher = tasks_launched(os.environ)
    if tasks > 1:
        library = MPI.Get_library_version().splitlines()[0].strip().rstrip("\0, ")
        raise WorldOfOne(
            f"the MPI world of this process is itself alone, but {launcher} started {tasks}",
            reason="world-of-one",
            remedy=f"it has loaded {library[:60]!r}: start it with the mpiexec of that library, or "
            "by srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH); or give MPI.COMM_SELF, if each "
            "process is to be migrated by itself",
        )


def _words(wishes: tuple[Wish, int | None]) -> str:
    wish, root = wishes
    return " ".join(wish.arguments()) + ("" if root is None else f", root={root}")


def _act(comm: MPI.Comm, wish: Wish, held: Held) -> ClusterReport:
    """What this rank has to add: the part of its host, or nothing if another one acts for it."""
    with neighbours(comm) as here:
        members = here.gather((os.getpid(), comm.rank))
    return ClusterReport() if members is None else answer(dict(members), wish, held.begun)


def _wait_for_all(comm: MPI.Comm) -> None:
    """Sleeps until all ranks have come here."""
    request = comm.Ibarrier()
    pause = _FIRST_PAUSE
    while not request.Test():
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
