"""What there is to do: the stretches of a process's memory that have pages on the source nodes."""

from __future__ import annotations

from pymigrate.mover import Segment, Stretch
from pymigrate.units import PAGE_SIZE
from pymigrate.vma import vmas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate._memory_files import MemoryFiles
    from pymigrate.nodemask import NodeMask

__all__ = ["Survey"]

# A stretch is what one worker takes: some per process even where that is small, and not so small
# that the price of a call shows. It starts at a multiple of its size.
_STRETCH_BYTES = 64 << 20


class Survey:
    """Finds stretches, and keeps those in which pages stayed behind, to be tried again.

    Args:
        files: Its files in /proc: they stay with the memory that it has now.
        sources: Nodes whose pages have to move.
        huge_size: Bytes of a transparent huge page, or 0: none is cut in two.
    """

    def __init__(self, files: MemoryFiles, sources: NodeMask, huge_size: int) -> None:
        self._files = files
        self._sources = sources
        self._stretch_bytes = max(_STRETCH_BYTES, huge_size)
        self._kept: dict[int, Stretch] = {}
        self.pages = 0
        """Base pages that the last look found on the source nodes."""

    def look(self) -> list[Stretch]:
        """The stretches that have pages on the source nodes now, or had some that stayed behind."""
        self.pages = 0
        parts: dict[tuple[int, int], list[Segment]] = {}
        for vma in vmas(self._files.pid, files=self._files):
            found = sum(vma.pages.get(node, 0) for node in self._sources)
            if found:
                self.pages += found
                for part in self._cut(vma.start, vma.end, vma.kind, vma.page_size):
                    parts.setdefault(self._place(part), []).append(part)
        stretches = [self._stretch(place, segments) for place, segments in parts.items()]
        known = {stretch.start for stretch in stretches}
        return stretches + [
            self._empty(stretch) for stretch in self._kept.values() if stretch.start not in known
        ]

    def keep(self, stretch: Stretch, *, always: bool) -> None:
        """Remembers a stretch if it has to be tried again, or in any case if ``always``."""
        if stretch.left or always:
            self._kept[stretch.start] = stretch
        else:
            self._kept.pop(stretch.start, None)

    def forget(self) -> None:
        """Forgets all that stayed behind."""
        self._kept.clear()

    def _cut(self, start: int, end: int, kind: str, page_size: int) -> Iterator[Segment]:
        """A mapping, cut where stretches meet."""
        size = max(self._stretch_bytes, page_size)
        while start < end:
            cut = min(end, start // size * size + size)
            yield Segment(start, cut, kind, page_size)
            start = cut

    def _place(self, part: Segment) -> tuple[int, int]:
        size = max(self._stretch_bytes, part.page_size)
        start = part.start // size * size
        return start, start + size

    def _stretch(self, place: tuple[int, int], segments: list[Segment]) -> Stretch:
        start, end = place
        kept = self._kept.get(start)
        if kept is None:
            return Stretch(start, end, segments)
        kept.rewind(segments)
        return kept

    def _empty(self, stretch: Stretch) -> Stretch:
        """One with nothing on the source nodes any more: what it owed has vanished, or moved."""
        whole = Segment(stretch.start, stretch.end, "anonymous", PAGE_SIZE)
        stretch.rewind([whole])
        return stretch
