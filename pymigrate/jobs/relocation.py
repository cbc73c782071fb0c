"""``relocate()``: other nodes for a cgroup, and its memory along with it."""

from __future__ import annotations

import errno
import json
from contextlib import contextmanager
from dataclasses import dataclass

from pymigrate._checks import check_no_map
from pymigrate.errors import (
    CpusetRefused,
    InvalidArgument,
    InvalidType,
    KernelError,
    NotPermitted,
    quote,
)
from pymigrate.jobs.cpuset_change import changed
from pymigrate.jobs.job import Job
from pymigrate.jobs.places import Places
from pymigrate.kernel.cpusets import Cpuset
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.resident import residency
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan
from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobProgress, JobReport
    from pymigrate.nodemask import Nodes

__all__ = ["Relocation", "relocate"]

_CPU_LIST = frozenset("0123456789-,:/ ")


@dataclass(frozen=True)
class Relocation:
    """What became of a cgroup, and of its memory. Counts are base pages.

    What processes share counts with each of them here, and once in the report.

    Attributes:
        before: The cpuset as it was.
        after: The cpuset as it is.
        outside: Pages that were not on the new nodes.
        by_kernel: Those of them that were gone when the new nodes had been written: the kernel
            moves them in v2, and in v1 with ``cpuset.memory_migrate``.
        remaining: Pages that are not on the new nodes in the end.
        report: Of the migration that followed: what the kernel had left behind, and why it stays.
        unseen: Processes whose memory the caller may not look at. Their pages are in no count,
            though the kernel moves them like all others.
    """

    before: Cpuset
    after: Cpuset
    outside: int
    by_kernel: int
    remaining: int
    report: JobReport
    unseen: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all memory is where it should be."""
        return self.report.complete

    def to_dict(self) -> dict[str, Any]:
        """The report for programs: JSON types only, counts in base pages."""
        return {
            "folder": self.after.folder,
            "complete": self.complete,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "page_size": PAGE_SIZE,
            "outside": self.outside,
            "by_kernel": self.by_kernel,
            "remaining": self.remaining,
            "unseen": list(self.unseen),
            "report": self.report.to_dict(),
        }

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        """The report for people: what was changed, and what the migration did after it."""
        before = f"{self.before.mems or f'none (granted {self.before.effective_mems})'}"
        lines = [f"{self.after.folder}: cpuset.mems {before} -> {self.after.mems}"]
        if self.before.cpus != self.after.cpus:
            cpus = (str(NodeMask(cpuset.cpus)) for cpuset in (self.before, self.after))
            lines.append(f"  cpuset.cpus {' -> '.join(c or 'none' for c in cpus)}")
        lines.append(f"  outside        {_amount(self.outside)}")
        lines.append(f"  by the kernel  {_amount(self.by_kernel)}")
        if self.unseen:
            pids = ", ".join(map(str, self.unseen))
            lines.append(f"  not seen       the memory of {pids}: the caller may not look at it")
        return "\n".join([*lines, str(self.report)])


def relocate(
    folder: str,
    mems: Nodes,
    *,
    cpus: Nodes | None = None,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    workers: int = 2,
    retries: int = 3,
    progress: Callable[[JobProgress], object] | None = None,
    begun: Callable[[JobOperation], object] | None = None,
) -> Relocation:
    """Gives a cgroup other nodes, and brings the memory of its processes there.

    ``cpuset.cpus`` are written first, if they are given, then ``cpuset.mems``, each at once, so the
    processes have CPUs and nodes at any moment. The kernel then moves what it moves, as fast as it
    can (cpuset_migrate_mm() in kernel/cgroup/cpuset.c); what it has left behind on any node is
    brought along by a migration: to the partner of its node by the kernel's pairing of the old and
    new nodes, else to the nearest. The processes of cgroups below move within what these have.

    Args:
        folder: The cgroup, v1 or v2: where it is in the file system.
        mems: The nodes that it gets.
        cpus: The CPUs that it gets, as a list (``"0-3,8"``) or as numbers; None leaves them.
        shared: As for ``Job.migration()``, like the next four.
        rate: Bytes that the migration may move in a second. It does not bind the kernel.
        max_stall: Seconds that one step of it may hold a process up.
        workers: Processes that are dealt with at the same time.
        retries: How often busy pages are tried again.
        progress: Called after each step of the migration.
        begun: Called with the migration before it runs: who has that can ``cancel()`` it. A cancel
            leaves the new setting, and the report says what has not moved. What is raised before,
            as by Ctrl-C, brings the old setting back.

    Raises:
        InvalidArgument: There is no cgroup, or an argument makes no sense.
        CpusetRefused: The cpuset cannot be read or changed so, or the cgroup was removed meanwhile.
            The old setting is back, if ``restored`` says so.
    """
    check_no_map("mems", mems)
    check_no_map("cpus", cpus)
    nodes, processors = NodeMask(mems), _cpu_list(cpus)
    before = Cpuset.read(folder)
    job = Job.cgroup(before.folder)
    partners = dict(plan(before.effective_mems, nodes)) if nodes else {}
    places = Places(topology(), "cpuset")
    operation = job.migration(
        moves=lambda pid: places.moves(pid, partners),
        shared=shared,
        rate=rate,
        max_stall=max_stall,
        workers=workers,
        retries=retries,
    )
    unseen: set[int] = set()
    with _members_of(before):
        outside = _outside(job, nodes, unseen)
    with changed(before, nodes, processors), _members_of(before):
        left = _outside(job, nodes, unseen)
        if begun:
            begun(operation)
        report = operation.run(progress)
        after = before.again()
        remaining = _outside(job, nodes, unseen)
    by_kernel = max(0, outside - left)
    seen_not = tuple(sorted(unseen))
    return Relocation(before, after, outside, by_kernel, remaining, report, seen_not)


def _cpu_list(cpus: Nodes | None) -> NodeMask | None:
    """CPUs have the grammar of node lists, but for the words that mean nodes of this machine."""
    if cpus is None or (isinstance(cpus, NodeMask)):
        return cpus
    try:
        if not isinstance(cpus, str) or _CPU_LIST.issuperset(cpus):
            return NodeMask(cpus)
    except InvalidArgument:
        pass
    kind = InvalidArgument if isinstance(cpus, str) else InvalidType
    raise kind(f"cpus {quote(cpus)} is no CPU list: give numbers and ranges, as in 0-3,8")


def _outside(job: Job, nodes: NodeMask, unseen: set[int]) -> int:
    """Pages of a job that are not on these nodes; shared ones count with each process.

    Args:
        job: The processes.
        nodes: Where pages may be.
        unseen: Gets the pids of processes that the caller may not look at.
    """
    outside = 0
    for pid in job.pids():
        try:
            found = residency(pid)
        except NotPermitted:
            unseen.add(pid)
        except KernelError:
            continue  # it has ended, or is a kernel thread
        else:
            outside += found.pages() - sum(found.pages(node) for node in nodes)
    return outside


@contextmanager
def _members_of(cpuset: Cpuset) -> Iterator[None]:
    """Says of which cgroup it is that the processes are not to be found out."""
    try:
        yield
    except CpusetRefused:
        raise
    except KernelError as error:
        raise CpusetRefused(
            error.errno or errno.EIO,
            f"its processes are not to be found out: {error.cause}",
            folder=cpuset.folder,
            reason="members",
            remedy=error.remedy,
        ) from error


def _amount(pages: int) -> str:
    return f"{pages} pages, {format_bytes(pages * PAGE_SIZE)}"
