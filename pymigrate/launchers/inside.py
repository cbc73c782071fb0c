"""What engines inside of programs have in common: arguments in, and an answer in any case."""

from __future__ import annotations

import os

from pymigrate._checks import check_count, check_flag, check_no_map, check_positive, check_targets
from pymigrate.jobs.job import Job
from pymigrate.launchers import account
from pymigrate.launchers.here import do_here, host_name
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.rules import Rule
from pymigrate.launchers.wish import Wish
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.nodemask import Nodes

__all__ = ["answer", "pid_namespace", "wished"]


def wished(
    old: Nodes | None,
    new: Nodes | None,
    *,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    workers: int = 2,
) -> Wish:
    """A migration as a program wishes it, in the form in which it is sent to hosts.

    Args:
        old: Nodes, or one of the words that a ``Rule`` knows, like the next one.
        new: See there.
        shared: As for ``Wish``, like the following.
        rate: See there.
        max_stall: See there.
        workers: See there.

    Raises:
        InvalidArgument: An argument makes no sense.
    """
    check_flag("shared", shared, optional=True)
    check_positive("rate", rate)
    check_positive("max_stall", max_stall)
    check_count("workers", workers, 1, 256)
    return Wish("migrate", _text("old", old), _text("new", new), shared, rate, max_stall, workers)


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
    host = host_name()
    try:
        return do_here(lambda: Job.of(ranks), wish, host=host, ranks=lambda: numbers, begun=begun)
    except Exception as error:  # what is not ours, such as files that cannot be opened
        return account.failed(wish.action, HostRow.failed(host, error))


def pid_namespace() -> str:
    """What two processes have in common if a pid means the same to both (pid_namespaces(7))."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:  # no /proc: whoever acts will say so
        return ""


def _text(name: str, nodes: Nodes | None) -> str | None:
    check_no_map(name, nodes)
    if nodes is None or (isinstance(nodes, str) and not Rule(nodes).is_list):
        return nodes
    mask = NodeMask(nodes)
    if name == "new":
        check_targets(mask)
    # Text stays as it is: "all", "!" and "+" mean the nodes of each host.
    return nodes if isinstance(nodes, str) else str(mask)
