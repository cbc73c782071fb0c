"""``home()``: brings memory to where processes run, may have it, or have a device. One shot."""

from __future__ import annotations

from pymigrate.jobs.job import Job
from pymigrate.jobs.places import Places
from pymigrate.kernel.devices import device_node
from pymigrate.kernel.nodes import topology
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobProgress, JobReport

__all__ = ["as_job", "home", "homing", "places"]


def home(
    job: Job | int,
    *,
    by: str = "affinity",
    device: str | None = None,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    workers: int = 2,
    retries: int = 3,
    progress: Callable[[JobProgress], object] | None = None,
) -> JobReport:
    """Brings the memory of each process to its own place, and reports; ``homing()``, run.

    Args:
        job: Processes, or one by its pid.
        by: As for ``homing()``, like the following.
        device: See there.
        shared: See there.
        rate: See there.
        max_stall: See there.
        workers: See there.
        retries: See there.
        progress: Called after each step.

    Raises:
        InvalidArgument: An argument makes no sense.
        UnknownNode: The device is on no known node.
        NoSuchProcess: There is no process of that id.
        KernelError: Who belongs to the job is not to be found out.
    """
    operation = homing(
        job,
        by=by,
        device=device,
        shared=shared,
        rate=rate,
        max_stall=max_stall,
        workers=workers,
        retries=retries,
    )
    return operation.run(progress)


def homing(
    job: Job | int,
    *,
    by: str = "affinity",
    device: str | None = None,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    workers: int = 2,
    retries: int = 3,
) -> JobOperation:
    """A migration of each process to its own place, not begun with yet.

    The place is within the cpuset of the process: where that has none of the nodes, it is the
    nearest that it has. Memory on nodes outside goes to the nearest inside. Nodes without CPUs
    hold what was put there on purpose, or by the kernel: only ``by="cpuset"`` brings memory away
    from them.

    Args:
        job: Processes, or one by its pid; 0 is the calling one.
        by: What the place is.

            * ``"affinity"``: the nodes of the CPUs that its threads may use (sched_setaffinity(2));
              a process that may use all of them is at home everywhere;
            * ``"ran"``: the nodes of the CPUs that its threads last ran on (field 39 of
              proc_pid_stat(5)), of those that have used CPU time;
            * ``"cpuset"``: the nodes that it may have memory on, such as after its cpuset was
              changed by somebody else.
        device: Instead: the node of a device, a PCI address or a network interface.
        shared: Whether pages that several processes map are moved; as for ``Job.migration()``, like
            the next four.
        rate: Bytes that may move in a second, for all processes together.
        max_stall: Seconds that one step may hold a process up.
        workers: Processes that are dealt with at the same time.
        retries: How often busy pages are tried again.

    Raises:
        InvalidArgument: An argument makes no sense.
        UnknownNode: The device is on no known node.
        NoSuchProcess: There is no process of that id.
    """
    return as_job(job).migration(
        moves=places(by, device).moves,
        shared=shared,
        rate=rate,
        max_stall=max_stall,
        workers=workers,
        retries=retries,
    )


def as_job(job: Job | int) -> Job:
    """A job, or that of one pid."""
    return job if isinstance(job, Job) else Job.of([job])


def places(by: str, device: str | None) -> Places:
    """The places that these arguments mean, on this machine as it is now."""
    nodes = None if device is None else NodeMask(device_node(device))
    return Places(topology(), by, nodes)
