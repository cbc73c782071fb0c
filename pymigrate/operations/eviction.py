"""``Eviction`` and ``evict()``: pages leave memory, and come back where the process then runs."""

from __future__ import annotations

import errno

from pymigrate._checks import check_flag
from pymigrate.errors import NoSwap
from pymigrate.kernel.swap import Swap
from pymigrate.operations.advice import refuse
from pymigrate.operations.evictor import Evictor
from pymigrate.operations.exits import Exits
from pymigrate.operations.operation import RETRIES_MAX, Operation
from pymigrate.operations.swap_need import need_of_swap
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.kernel.process import Process
    from pymigrate.kernel.resident import Residency
    from pymigrate.nodemask import Nodes
    from pymigrate.task import Task

__all__ = ["Eviction", "evict"]


class Eviction(Operation):
    """Evicts the pages of one process from nodes; else it is as ``Migration``.

    Anonymous and shared memory goes to swap, clean pages of files are dropped. Each page comes back
    when it is used, on the node that its memory policy names, by default the one where the thread
    runs that uses it. So nodes of ``new`` need no memory of their own now: ``new`` only names where
    pages may stay. This is the migration of the 2005 patch, for where direct migration cannot
    serve: there is no room on the targets, pages are to be placed by first touch, or a node is to
    be emptied.

    Every page is looked at afterwards, as madvise(2) with MADV_PAGEOUT succeeds whatever happens:
    it is evicted if it is out of memory, and not only out of the page table. To see that of another
    process takes CAP_SYS_ADMIN; what cannot be seen is told as such, and as no success.

    Args:
        pid: The process; 0 is the calling one, which needs no privilege.
        old: Nodes that pages have to leave, unless they are in ``new`` too.
        new: Nodes on which pages may stay; ``()`` for none.
        without_swap: Evict only what needs no swap.
        rate: Bytes that may be evicted in a second.
        max_stall: Seconds that one step may take; at least one page is evicted at a time.
        workers: Threads that evict pages at the same time.
        retries: How often pages that are busy, and pages that appeared meanwhile, are tried again:
            0 up to 3 times, after 10, 50 and 250 ms.

    Raises:
        InvalidArgument: An argument makes no sense.
        NoSuchProcess: There is no such process.

    ``run()`` and the first step raise, before anything has been evicted:

    Raises:
        NotPermitted: The caller may not evict the memory of this process, which for another one
            takes CAP_SYS_NICE.
        NoUserMemory: It is a kernel thread or a zombie.
        NoSwap: There is no swap, or too little for what has to go there.
        Unsupported: The kernel has no process_madvise(2): before Linux 5.10, for other processes
            5.12.
    """

    name = "evict"

    def __init__(
        self,
        pid: int,
        old: Nodes,
        new: Nodes,
        *,
        without_swap: bool = False,
        rate: float | None = None,
        max_stall: float | None = None,
        workers: int = 1,
        retries: int = RETRIES_MAX,
    ) -> None:
        check_flag("without_swap", without_swap)
        super().__init__(
            pid,
            Exits(old, new),
            rate=rate,
            max_stall=max_stall,
            overhead=lambda: 0.0,
            workers=workers,
            retries=retries,
        )
        self._without_swap = without_swap

    def _prepare(self, caller: Task, target: Task) -> None:
        refuse(caller, target)

    def _inspect(self, before: Residency) -> None:
        if self._without_swap:
            return
        room = Swap.read(self._process.pid).room
        # What is needed exactly takes another walk, and is mostly not in doubt.
        if sum(before.bytes(node) for node in self._routes.sources) <= room:
            return
        need = need_of_swap(self._process.pid, self._routes)
        if need <= room:
            return
        raise NoSwap(
            errno.ENOSPC,
            f"{format_bytes(need)} have to go to swap, which has room for {format_bytes(room)}",
            pid=self._process.pid,
            old=self._routes.old,
            new=self._routes.new,
            reason="no-swap",
            remedy="add swap, raise memory.swap.max of its cgroup, or evict without swap what "
            "needs none",
        )

    def _make_action(self, process: Process) -> Evictor:
        return Evictor(process, self._routes, without_swap=self._without_swap)


def evict(pid: int, old: Nodes, new: Nodes) -> int:
    """Evicts all pages on nodes that are in ``old`` and not in ``new``.

    Args:
        pid: The process; 0 is the calling one.
        old: Nodes that pages have to leave.
        new: Nodes on which they may stay; ``()`` for none.

    Returns:
        Base pages that are not out of memory, as far as can be seen. ``Eviction`` tells why.

    Raises:
        InvalidArgument, KernelError: As from ``Eviction``.
    """
    return Eviction(pid, old, new).run().total.left_behind
