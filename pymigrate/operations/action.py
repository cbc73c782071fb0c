"""What every action on a process's memory has in common: a stretch of it, a step at a time.

The Python face of csrc/step.h. An action says by which call of C a step is taken.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from itertools import islice

from pymigrate import _files
from pymigrate._native import ffi, lib
from pymigrate.errors import InvalidNodes, KernelError
from pymigrate.kernel._memory_files import open_memory_file
from pymigrate.kernel.zones import zones
from pymigrate.operations.ledger import Entry
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pymigrate._shim import ActionStep, CArray, Subject
    from pymigrate.kernel.process import Process
    from pymigrate.operations.routes import Routes
    from pymigrate.operations.stretch import Stretch

__all__ = ["REASONS", "Action", "Step"]

REASONS = {
    lib.PM_SHARED_PAGE: "shared",
    lib.PM_BUSY: "busy",
    lib.PM_NO_MEMORY: "no-memory",
    lib.PM_NOT_ALLOWED: "not-allowed",
    lib.PM_HIDDEN: "hidden",
    lib.PM_UNMOVABLE: "unmovable",
    lib.PM_LOCKED: "locked",
    lib.PM_HUGETLB_PAGE: "hugetlb",
    lib.PM_NO_SWAP_SPACE: "no-swap",
    lib.PM_WRITEBACK: "writeback",
    lib.PM_OUT_BUSY: "busy",
    lib.PM_OUT_WRITEBACK: "writeback",
    lib.PM_OUT_NO_SWAP: "no-swap",
    lib.PM_UNSEEN: "unseen",
}
# Of these: in no page table any more, so that the process does not count them as resident.
_UNMAPPED = (lib.PM_OUT_BUSY, lib.PM_OUT_WRITEBACK, lib.PM_OUT_NO_SWAP, lib.PM_UNSEEN)
_COLUMNS = {
    lib.PM_ASKED: "asked",
    lib.PM_MOVED: "moved",
    lib.PM_VANISHED: "vanished",
    **REASONS,
}

_HUGE_SIZE = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"


@dataclass(frozen=True)
class Step:
    """What one step found.

    Attributes:
        entries: For the ledger.
        looked_at: Base pages that are in memory.
        moved: Base pages that left their node.
        hidden: Base pages that move_pages(2) does not see.
        ended: The process has ended, or has replaced its memory by exec.
        seconds: How long it took.
    """

    entries: list[Entry]
    looked_at: int
    moved: int
    hidden: int
    ended: bool
    seconds: float


class Action:
    """Does something to the memory that a process has now; after an exec it has another.

    Args:
        process: Whose memory.
        routes: Which nodes' pages have to leave.
        ways: Target by source; the rank of a source is its place in it.

    Raises:
        InvalidNodes: There are more sources than any kernel has nodes.
        NoSuchProcess: It has ended.
        NotPermitted: The caller may not look at it.

    Attributes:
        call: The system call that it makes.
        huge_size: Bytes of a transparent huge page, or 0: none is cut in two.
    """

    call = ""

    def __init__(self, process: Process, routes: Routes, ways: Mapping[int, int]) -> None:
        if len(ways) > lib.PM_RANKS_MAX:
            message = f"{len(ways)} nodes to leave: no kernel has more than {lib.PM_RANKS_MAX}"
            raise InvalidNodes(message, list(ways))
        self.huge_size = _huge_size()
        self._nodes = routes.old, routes.new
        self._sources = list(ways)
        self._once = routes.overlap
        self._pagemap = open_memory_file(process.pid, "pagemap")
        if not process.alive():  # the file may be of another process, which has the pid now
            self.close()
            raise process.gone()
        rows = [(-1, 0)] * (max([*ways, -1]) + 1)
        for rank, (source, target) in enumerate(ways.items()):
            rows[source] = (target, rank)
        self._routes = ffi.new("struct pm_route[]", rows)
        self._memory = ffi.new("struct pm_memory[]", [(self._pagemap, PAGE_SIZE, self.huge_size)])
        scanned = lib.pm_can_scan(self._memory)
        self._zones = ffi.new("struct pm_zone[]", zones() if scanned else ())
        self._pid = process.pid

    def step(self, stretch: Stretch, limit: int) -> Step:
        """Goes on with a stretch, for so many base pages at the most.

        Raises:
            NotPermitted: The process may not be touched any longer, or a sandbox forbids the call.
            Unsupported: The kernel has no such call.
            KernelError: There is no memory for the step itself.
        """
        stretch.counts = None
        step = stretch.open()
        step.looked_at = step.hidden = 0
        stretch.counts = ffi.new(
            "int64_t[]", max(1, len(self._sources)) * len(KINDS) * lib.PM_COLUMNS
        )
        step.tally.counts = stretch.counts
        step.tally.once = self._once
        step.limit = limit
        started = time.monotonic()
        error = -self._take(step)
        seconds = time.monotonic() - started
        if error == errno.ENOMEM:
            raise KernelError(error, "there is no memory for a step", pid=self._pid)
        if error not in (0, errno.ESRCH):
            raise self._refused(error)
        return self._told(stretch, ended=error != 0, seconds=seconds)

    def cut_short(self, stretch: Stretch) -> Step:
        """What a step has done that was refused midway, or in which a signal's handler raised."""
        return self._told(stretch, ended=False, seconds=0.0)

    def _told(self, stretch: Stretch, *, ended: bool, seconds: float) -> Step:
        if stretch.counts is None:  # it did not come to that
            return Step([], 0, 0, 0, ended=ended, seconds=seconds)
        step = stretch.open()
        entries = list(self._entries(stretch.counts))
        stretch.left += sum(e.pages for e in entries if e.column in REASONS.values())
        return Step(
            entries,
            looked_at=step.looked_at,
            moved=sum(entry.pages for entry in entries if entry.column == "moved"),
            hidden=step.hidden,
            ended=ended,
            seconds=seconds,
        )

    def begin_round(self, kept: Iterable[Stretch]) -> None:
        """Does what has to be done before memory is gone through, or gone through again.

        Args:
            kept: Stretches in which pages stayed behind.
        """

    def first_present(self, start: int, end: int) -> int:
        """The address of the first page in memory from ``start`` on; ``end`` if there is none."""
        return lib.pm_first_present(self._memory, start, end)

    def close(self) -> None:
        """Gives the open file back."""
        os.close(self._pagemap)

    def _take(self, step: ActionStep) -> int:
        """Takes a step in C; 0 or a negative errno."""
        raise NotImplementedError

    def _refused(self, number: int) -> KernelError:
        """The error for what the kernel answered to a step."""
        raise NotImplementedError

    def _introduce(self, subject: Subject) -> None:
        subject.memory = self._memory[0]
        subject.hides = lib.pm_hides_pages()
        subject.pid = self._pid
        subject.nodes = len(self._routes)
        subject.routes = self._routes
        subject.zones = self._zones
        subject.zone_count = len(self._zones)

    def _entries(self, counts: CArray) -> Iterator[Entry]:
        # As a list at once: most counts of a step are zero, and each look into C takes its time.
        numbers = iter(memoryview(ffi.buffer(counts)).cast("B").cast("q").tolist())
        for source in self._sources:
            for kind in KINDS:
                row = list(islice(numbers, lib.PM_COLUMNS))
                if any(row):
                    for column, name in _COLUMNS.items():
                        if row[column]:
                            mapped = column not in _UNMAPPED
                            yield Entry(source, kind, name, row[column], mapped)


def _huge_size() -> int:
    """Bytes of a transparent huge page; 0 where there are none."""
    try:
        return int(_files.read_text(_HUGE_SIZE))
    except OSError:
        return 0
