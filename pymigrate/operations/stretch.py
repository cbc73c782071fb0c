"""Stretches: the pieces of memory that workers take, and what is known of their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pymigrate._native import ffi
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymigrate._shim import ActionStep, CArray

__all__ = ["Place", "Segment", "Stretch"]


class Place(NamedTuple):
    """What a stretch is about: the pages at a range of addresses, of hugetlb or all others.

    Those are apart because of move_pages(2), which begins with them: if it finds no room for one it
    leaves all else that it was given (``migrate_pages()`` in mm/migrate.c).

    Attributes:
        start: First address.
        end: The address behind the last.
        hugetlb: Whether it is about huge pages of a pool.
    """

    start: int
    end: int
    hugetlb: bool


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
        place: What it is about.
        segments: The mappings in it, ascending.
    """

    def __init__(self, place: Place, segments: Sequence[Segment]) -> None:
        self.place = place
        self.left = 0
        """Base pages that stayed behind so far."""
        self.counts: CArray | None = None
        """What the last step counted, as C sums it up."""
        self._marks: CArray | None = None
        self._step = ffi.new("struct pm_step *")
        self._step.start, self._step.end = place.start, place.end
        self.renew(segments)

    def renew(self, segments: Sequence[Segment]) -> None:
        """Starts again at the beginning, with the mappings that are there now."""
        rows = [
            (part.start, part.end, KINDS.index(part.kind), part.page_size // PAGE_SIZE)
            for part in segments
        ]
        self._segments = ffi.new("struct pm_segment[]", rows)
        self._step.segments = self._segments
        self._step.count = len(rows)
        self.rewind()

    def rewind(self) -> None:
        """Starts again at the beginning, with the mappings that it had: no others have marks."""
        self._step.cursor.address = self._step.cursor.segment = 0

    @property
    def finished(self) -> bool:
        """Whether all of it has been gone through."""
        return self._step.cursor.segment == self._step.count

    def open(self) -> ActionStep:
        """What a step works on; marks of pages are made for the first."""
        if self._marks is None:
            pages = (self.place.end - self.place.start) // PAGE_SIZE
            self._marks = ffi.new("pm_mark[]", pages)
            self._step.tally.marks = self._marks
        return self._step

    def forget(self) -> None:
        """Gives the memory for marks back: all pages are as if never seen."""
        self._marks = None
