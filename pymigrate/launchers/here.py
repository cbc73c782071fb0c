"""The part of a job that is on this host: what was wished for is done, and answered in short."""

from __future__ import annotations

import socket
import time

from pymigrate.errors import Error, KernelError, NoSuchProcess, NoUserMemory
from pymigrate.kernel.resident import residency
from pymigrate.launchers import account
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.outcomes import DONE, LEFT
from pymigrate.launchers.rank_row import RankRow
from pymigrate.launchers.rules import Rule, moves
from pymigrate.launchers.shape import fingerprint
from pymigrate.operations.preflight import check
from pymigrate.operations.verdicts import REFUSED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pymigrate.jobs.job import Job
    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobProgress
    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.wish import Wish

    Ranks = Callable[[], Mapping[int, int]]

__all__ = ["do_here", "host_name"]


def host_name() -> str:
    """The name of this host, without its domain."""
    return socket.gethostname().partition(".")[0]


def do_here(
    job: Job | Callable[[], Job],
    wish: Wish,
    *,
    host: str = "",
    ranks: Ranks = dict,
    begun: Callable[[JobOperation], object] | None = None,
    progress: Callable[[JobProgress], object] | None = None,
) -> ClusterReport:
    """Does what is wished to the processes of this host, and tells it as the part of one host.

    Nothing is raised for what fails here: it is the outcome of this host, and no reason for others
    to stop.

    Args:
        job: The processes; or what finds them, whose errors are the outcome of this host too.
        wish: What is to be done.
        host: The name of this host, as the engine knows it; its own, if empty.
        ranks: Tells the numbers of processes in the job, by pid; asked when all is done.
        begun: Called once, with the operation before it runs: so it can be cancelled.
        progress: Called after each step.
    """
    host = host or host_name()
    try:
        job = job() if callable(job) else job
        if wish.action in ("check", "show"):
            return _looked_at(job, wish, host, ranks)
        operation = _operation(job, wish)
        if begun:
            begun(operation)
        report = operation.run(progress)
        return account.of_job(host, report, ranks(), fingerprint())
    except Error as error:
        return account.failed(wish.action, HostRow.failed(host, error))


def _operation(job: Job, wish: Wish) -> JobOperation:
    assert wish.new is not None
    bounds: dict[str, Any] = {"rate": wish.rate, "max_stall": wish.max_stall}
    bounds["workers"] = wish.workers
    if wish.action == "evict":
        assert wish.old is not None
        return job.eviction(wish.old, wish.new, **bounds)
    return job.migration(**_routes(wish), shared=wish.shared, **bounds)


def _routes(wish: Wish) -> dict[str, Any]:
    """Where pages go, as arguments of ``Job.migration()``."""
    assert wish.new is not None
    if not wish.by_rule:
        return {"old": wish.old, "new": wish.new}
    return {"moves": moves(None if wish.old is None else Rule(wish.old), Rule(wish.new))}


def _looked_at(job: Job, wish: Wish, host: str, ranks: Ranks) -> ClusterReport:
    start = time.monotonic()
    routes = {} if wish.action == "show" else _routes(wish)
    numbers = ranks()
    rows = []
    for pid in job.pids():
        try:
            found = {} if wish.action == "show" else _verdict(pid, routes, wish.shared)
            sizes = account.sizes(residency(pid))
            rows.append(RankRow(host, pid, numbers.get(pid), nodes=sizes, **found))
        except (NoSuchProcess, NoUserMemory):
            continue  # it has ended, or is a kernel thread of the cgroup
        except KernelError as error:
            rows.append(RankRow(host, pid, numbers.get(pid), LEFT, finding=str(error)))
    elapsed = time.monotonic() - start
    return account.of_rows(wish.action, host, rows, elapsed, fingerprint())


def _verdict(pid: int, routes: Mapping[str, Any], shared: bool | None) -> dict[str, Any]:
    own = routes.get("moves")
    found = check(pid, **({"moves": own(pid)} if own else routes), shared=shared)
    decisive = WARNING if found else REFUSED
    told = [v for v in found.verdicts if v.state == decisive]
    finding = "; ".join(f"{v.name}: {v.finding}{'; ' * bool(v.remedy)}{v.remedy}" for v in told)
    return {"outcome": DONE if found else LEFT, "finding": finding}
