"""Moves a stretch of a process's memory, a step at a time: the Python face of csrc/mover.h."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from pymigrate import _files
from pymigrate._memory_files import open_memory_file
from pymigrate._native import ffi, lib
from pymigrate.errors import KernelError
from pymigrate.ledger import Entry
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymigrate._shim import CArray, MoverStep
    from pymigrate.process import Process
    from pymigrate.routes import Routes

__all__ = ["REASONS", "Mover", "Segment", "Step", "Stretch"]

REASONS = {
    lib.PM_SHARED_PAGE: "shared",
    lib.PM_BUSY: "busy",
    lib.PM_NO_MEMORY: "no-memory",
    lib.PM_NOT_ALLOWED: "not-allowed",
    lib.PM_HIDDEN: "hidden",
    lib.PM_UNMOVABLE: "unmovable",
}
_COLUMNS = {
    lib.PM_ASKED: "asked",
    lib.PM_MOVED: "moved",
    lib.PM_VANISHED: "vanished",
    **REASONS,
}

_HUGE_SIZE = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"


@dataclass(frozen=True)
class Segment:
    """A range of addresses of one mapping.

    Attributes:
        start: First address.
        end: The address behind the last.
        kind: What it is made of, one of ``KINDS``.
        page_size: Bytes of each page; more than the base page's for hugetlb.
    """

    start: int
    end: int
    kind: str
    page_size: int


class Stretch:
    """A stretch of memory that is gone through by one worker, and what is remembered of its pages.

    Args:
        start: First address.
        end: The address behind the last.
        segments: The mappings in it, ascending.
    """

    def __init__(self, start: int, end: int, segments: Sequence[Segment]) -> None:
        self.start, self.end = start, end
        self.left = 0
        """Base pages that stayed behind so far."""
        self._marks: CArray | None = None
        self._step = ffi.new("struct pm_step *")
        self._step.start, self._step.end = start, end
        self.rewind(segments)

    def rewind(self, segments: Sequence[Segment]) -> None:
        """Starts again at the beginning, with the mappings that are there now."""
        rows = [
            (part.start, part.end, KINDS.index(part.kind), part.page_size // PAGE_SIZE)
            for part in segments
        ]
        self._segments = ffi.new("struct pm_segment[]", rows)
        self._step.segments = self._segments
        self._step.count = len(rows)
        self._step.cursor.address = self._step.cursor.segment = 0

    @property
    def finished(self) -> bool:
        """Whether all of it has been gone through."""
        return self._step.cursor.segment == self._step.count

    def open(self) -> MoverStep:
        """What a step works on; marks of pages are made for the first."""
        if self._marks is None:
            self._marks = ffi.new("pm_mark[]", (self.end - self.start) // PAGE_SIZE)
            self._step.tally.marks = self._marks
        return self._step

    def forget(self) -> None:
        """Gives the memory for marks back: all pages are as if never seen."""
        self._marks = None


@dataclass(frozen=True)
class Step:
    """What one step found.

    Attributes:
        entries: For the ledger.
        looked_at: Base pages that are in memory.
        moved: Base pages that moved.
        hidden: Base pages that move_pages(2) does not see.
        ended: The process has ended, or has replaced its memory by exec.
    """

    entries: list[Entry]
    looked_at: int
    moved: int
    hidden: int
    ended: bool


class Mover:
    """Moves the memory that a process has now; after an exec it has another.

    Args:
        process: Whose memory.
        routes: Which node's pages go where.
        shared: Move pages that other processes map too (MPOL_MF_MOVE_ALL, CAP_SYS_NICE).

    Raises:
        NoSuchProcess: It has ended.
        NotPermitted: The caller may not look at it.

    Attributes:
        huge_size: Bytes of a transparent huge page, or 0: none is cut in two.
    """

    def __init__(self, process: Process, routes: Routes, *, shared: bool) -> None:
        self.huge_size = _huge_size()
        self._nodes = routes.old, routes.new
        self._sources = list(routes.moves)
        self._once = routes.overlap
        self._pagemap = open_memory_file(process.pid, "pagemap")
        if not process.alive():  # the file may be of another process, which has the pid now
            self.close()
            raise process.gone()
        rows = [(-1, 0)] * (max([*self._sources, -1]) + 1)
        for rank, (source, target) in enumerate(routes.moves.items()):
            rows[source] = (target, rank)
        self._routes = ffi.new("struct pm_route[]", rows)
        self._targets = ffi.new("int32_t[]", list(routes.moves.values()))
        self._memory = ffi.new("struct pm_memory[]", [(self._pagemap, PAGE_SIZE, self.huge_size)])
        self._mover = ffi.new("struct pm_mover *")
        self._mover.memory = self._memory[0]
        self._mover.hides = lib.pm_hides_pages()
        self._mover.pid = process.pid
        self._mover.flags = lib.PM_MPOL_MF_MOVE_ALL if shared else lib.PM_MPOL_MF_MOVE
        self._mover.nodes = len(rows)
        self._mover.routes = self._routes
        self._mover.targets = self._targets

    def step(self, stretch: Stretch, limit: int) -> Step:
        """Goes on with a stretch, for so many base pages at the most.

        Raises:
            NotPermitted: The process may not be moved any longer, or a sandbox forbids the call.
            Unsupported: The kernel has no such call.
            KernelError: There is no memory for the step itself.
        """
        counts = ffi.new("int64_t[]", max(1, len(self._sources)) * len(KINDS) * lib.PM_COLUMNS)
        step = stretch.open()
        step.tally.counts = counts
        step.tally.once = self._once
        step.limit = limit
        error = -lib.pm_move_step(self._mover, step)
        if error not in (0, errno.ESRCH, errno.EINVAL):
            raise self._refused(error)
        entries = list(self._entries(counts))
        stretch.left += sum(e.pages for e in entries if e.column in REASONS.values())
        return Step(
            entries,
            looked_at=step.looked_at,
            moved=sum(entry.pages for entry in entries if entry.column == "moved"),
            hidden=step.hidden,
            ended=error != 0,
        )

    def first_present(self, start: int, end: int) -> int:
        """The address of the first page in memory from ``start`` on; ``end`` if there is none."""
        return lib.pm_first_present(self._memory, start, end)

    def close(self) -> None:
        """Gives the open file back."""
        os.close(self._pagemap)

    def _refused(self, number: int) -> KernelError:
        if number == errno.ENOMEM:
            return KernelError(number, "there is no memory for a step", pid=self._mover.pid)
        from pymigrate.diagnose import diagnose

        return diagnose(number, self._mover.pid, *self._nodes)

    def _entries(self, counts: CArray) -> Iterator[Entry]:
        for rank, source in enumerate(self._sources):
            for kind, kind_name in enumerate(KINDS):
                row = (rank * len(KINDS) + kind) * lib.PM_COLUMNS
                for column, column_name in _COLUMNS.items():
                    if counts[row + column]:
                        yield Entry(source, kind_name, column_name, counts[row + column])


def _huge_size() -> int:
    """Bytes of a transparent huge page; 0 where there are none."""
    try:
        return int(_files.read_text(_HUGE_SIZE))
    except OSError:
        return 0
