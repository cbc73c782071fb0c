"""The part of a job that is on this host: what was wished for is done, and answered in short."""

from __future__ import annotations

import socket
import time

from pymigrate.errors import InvalidArgument, KernelError, NoSuchProcess, NoUserMemory
from pymigrate.kernel.resident import residency
from pymigrate.launchers import account
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.rules import moves
from pymigrate.launchers.shape import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from pymigrate.jobs.job import Job
    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobProgress, JobReport
    from pymigrate.kernel.resident import Residency
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

    Nothing is raised for what fails here, whatever it is: it is the outcome of this host, and no
    reason for others to stop.

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
        if wish.action in ("migrate", "evict"):
            topology = fingerprint()
            operation = _operation(job, wish)
            if begun:
                begun(operation)
            report, fault = _run(operation, progress)
            return account.of_job(host, report, ranks(), topology, fault)
        return (_show if wish.action == "show" else _check)(job, wish, host, ranks)
    except Exception as error:  # what is not ours too, such as files that cannot be opened
        return account.failed(wish.action, HostRow.failed(host, error))


def _run(
    operation: JobOperation, progress: Callable[[JobProgress], object] | None
) -> tuple[JobReport, Exception | None]:
    """What it has done, and what has ended it early, such as a later look for new processes."""
    try:
        return operation.run(progress), None
    except Exception as error:
        try:
            return operation.report, error
        except InvalidArgument:  # nothing was begun with
            raise error from None


def _operation(job: Job, wish: Wish) -> JobOperation:
    bounds: dict[str, Any] = {"rate": wish.rate, "max_stall": wish.max_stall}
    bounds["workers"] = wish.workers
    if wish.of_eviction:
        return job.eviction(**_exits(wish), **bounds)
    return job.migration(**_routes(wish), shared=wish.shared, **bounds)


def _routes(wish: Wish) -> dict[str, Any]:
    """Where pages go, as arguments of ``Job.migration()``."""
    if not wish.by_rule:
        return {"old": wish.old, "new": wish.new}
    old, new = wish.rules
    assert new
    return {"moves": moves(old, new)}


def _exits(wish: Wish) -> dict[str, Any]:
    """Which nodes pages leave, as arguments of ``Job.eviction()``."""
    new = () if wish.new is None else wish.new
    return {"old": wish.old, "new": new, "without_swap": wish.without_swap}


def _check(job: Job, wish: Wish, host: str, ranks: Ranks) -> ClusterReport:
    start = time.monotonic()
    if wish.of_eviction:
        found = job.check_eviction(**_exits(wish))
    else:
        found = job.check(**_routes(wish), shared=wish.shared)
    residencies, _ = _residencies(found.processes)
    about = ranks(), time.monotonic() - start, fingerprint()
    return account.of_check(wish.action, host, found, residencies, *about)


def _show(job: Job, wish: Wish, host: str, ranks: Ranks) -> ClusterReport:
    start = time.monotonic()
    residencies, failures = _residencies(job.pids())
    about = ranks(), time.monotonic() - start, fingerprint()
    return account.of_look(wish.action, host, residencies, failures, *about)


def _residencies(pids: Iterable[int]) -> tuple[dict[int, Residency], dict[int, KernelError]]:
    """Where the memory of processes is; and why that is not to be seen of some."""
    found: dict[int, Residency] = {}
    failures: dict[int, KernelError] = {}
    for pid in pids:
        try:
            found[pid] = residency(pid)
        except (NoSuchProcess, NoUserMemory):
            continue  # it has ended, or is a kernel thread of the cgroup
        except KernelError as error:
            failures[pid] = error
    return found, failures
