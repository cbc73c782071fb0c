"""What there is to do: the stretches of a process's memory that have pages on the source nodes."""

from __future__ import annotations

from pymigrate import _files
from pymigrate.kernel._memory_files import HIGHEST, kilobytes, unnameable
from pymigrate.kernel.resident import Residency
from pymigrate.kernel.vma import vmas
from pymigrate.operations.stretch import Place, Segment, Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate.kernel._memory_files import MemoryFiles
    from pymigrate.nodemask import NodeMask
    from pymigrate.operations.action import Action

__all__ = ["Survey"]

# A stretch is what one worker takes: some per process even where that is small, and not so small
# that the price of a call shows. It starts at a multiple of its size.
_STRETCH_BYTES = 64 << 20


class Survey:
    """Finds stretches, and keeps those in which pages stayed behind, to be tried again.

    Args:
        files: Its files in /proc: they stay with the memory that it has now.
        action: What is done to this memory.
        sources: Nodes whose pages have to leave.

    Attributes:
        files: The same.
    """

    def __init__(self, files: MemoryFiles, action: Action, sources: NodeMask) -> None:
        self.files = files
        self._action = action
        self._sources = sources
        self._stretch_bytes = max(_STRETCH_BYTES, action.huge_size)
        self._kept: dict[Place, Stretch] = {}
        self._seen: dict[tuple[int, str], int] = {}

    def look(self) -> list[Stretch]:
        """The stretches that have pages on the source nodes now, or had some that stayed behind.

        Raises:
            Unsupported: The process has addresses that a 32-bit caller cannot name.
        """
        parts: dict[Place, list[Segment]] = {}
        self._seen = {}
        for vma in vmas(self.files.pid, files=self.files):
            if vma.start > HIGHEST:
                raise unnameable(self.files.pid)
            for node, pages in vma.pages.items():
                self._seen[node, vma.kind] = self._seen.get((node, vma.kind), 0) + pages
            if not self._sources.isdisjoint(vma.pages):
                for part in self._cut(vma.start, vma.end, vma.kind, vma.page_size):
                    parts.setdefault(self._place(part), []).append(part)
        stretches = [self._stretch(place, segments) for place, segments in parts.items()]
        # Of those that have nothing on the source nodes any more, what is owed vanished, or moved.
        empty = [stretch for place, stretch in self._kept.items() if place not in parts]
        for stretch in empty:
            stretch.rewind()
        return stretches + empty

    def kept(self) -> list[Stretch]:
        """The stretches in which pages stayed behind so far."""
        return list(self._kept.values())

    def resident(self) -> Residency:
        """What the last look found, counted as by ``residency()``: one walk serves both."""
        swapped = kilobytes(_files.read_status(self.files.pid), "VmSwap")
        return Residency(self._seen, swapped=swapped)

    def keep(self, stretch: Stretch, *, always: bool) -> None:
        """Remembers a stretch if it has to be tried again, or in any case if ``always``."""
        if stretch.left or always:
            self._kept[stretch.place] = stretch
            return
        self._kept.pop(stretch.place, None)
        if stretch.finished:
            stretch.forget()

    def forget(self) -> None:
        """Forgets all that stayed behind."""
        self._kept.clear()

    def _cut(self, start: int, end: int, kind: str, page_size: int) -> Iterator[Segment]:
        """A mapping, cut where stretches meet; stretches in which there is nothing are left out."""
        size = max(self._stretch_bytes, page_size)
        if end - start > size:
            start = self._action.first_present(start, end)
        while start < end:
            cut = min(end, start // size * size + size)
            yield Segment(start, cut, kind, page_size)
            start = self._action.first_present(cut, end) if cut < end else end

    def _place(self, part: Segment) -> Place:
        size = max(self._stretch_bytes, part.page_size)
        start = part.start // size * size
        return Place(start, start + size, part.kind == "hugetlb")

    def _stretch(self, place: Place, segments: list[Segment]) -> Stretch:
        kept = self._kept.get(place)
        if kept is None:
            return Stretch(place, segments)
        kept.renew(segments)
        return kept
