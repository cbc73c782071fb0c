"""What engines inside of programs have in common: an answer in any case."""

from __future__ import annotations

import os

from pymigrate.jobs.job import Job
from pymigrate.launchers.here import do_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.wish import Wish

__all__ = ["answer", "pid_namespace"]


def answer(
    ranks: Mapping[int, int | None],
    wish: Wish,
    begun: Callable[[JobOperation], object] | None = None,
) -> ClusterReport:
    """Does what is wished to processes of this host, and answers whatever happens.

    Args:
        ranks: Their numbers in the job by pid; None where they have none.
        wish: What is to be done.
        begun: Called once, with the operation before it runs: so it can be cancelled.

    Returns:
        The part of this host.
    """
    numbers = {pid: rank for pid, rank in ranks.items() if rank is not None}
    return do_here(lambda: Job.of(ranks), wish, ranks=lambda: numbers, begun=begun)


def pid_namespace() -> str:
    """What two processes of a host have in common if a pid means the same to both.

    The first namespace has the same number on every host (pid_namespaces(7)).
    """
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:  # no /proc: whoever acts will say so
        return ""
