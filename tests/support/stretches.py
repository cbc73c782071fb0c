"""Stretches of memory that are gone through one by one, as an operation does with all of them."""

from __future__ import annotations

import ctypes
import mmap
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Callable

from pymigrate import NodeMask
from pymigrate.kernel._memory_files import MemoryFiles
from pymigrate.kernel.process import Process
from pymigrate.operations.action import Action, Step
from pymigrate.operations.stretch import Stretch
from pymigrate.operations.survey import Survey

STRETCH = 64 << 20
"""Bytes, as in pymigrate/operations/survey.py."""


class Apart:
    """A mapping that has a stretch for itself.

    Attributes:
        address: Where that stretch begins.
    """

    def __init__(self, flags: int = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) -> None:
        self._map = mmap.mmap(-1, 3 * STRETCH, flags)
        self._map.madvise(mmap.MADV_NOHUGEPAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = -(-start // STRETCH) * STRETCH

    def touch(self, first: int, pages: int) -> None:
        """Writes to some pages, from one on."""
        ctypes.memset(self.address + first * mmap.PAGESIZE, 1, pages * mmap.PAGESIZE)

    def drop(self) -> None:
        """Takes all pages out of the page table."""
        self._map.madvise(mmap.MADV_DONTNEED)


@contextmanager
def at_work(
    pid: int, make: Callable[[Process], Action], sources: NodeMask
) -> Iterator[tuple[Action, Survey]]:
    """An action on a process, and what there is to do."""
    with Process(pid) as process, MemoryFiles(pid) as files, closing(make(process)) as action:
        yield action, Survey(files, action, sources)


def stretches_at(survey: Survey, address: int) -> list[Stretch]:
    """Those that an address is in; there may be one of hugetlb, and one of all else."""
    return [s for s in survey.look() if s.place.start <= address < s.place.end]


def counted(*steps: Step) -> dict[tuple[str | None, str], int]:
    """Pages by kind and column."""
    counts: Counter[tuple[str | None, str]] = Counter()
    for step in steps:
        for entry in step.entries:
            counts[entry.kind, entry.column] += entry.pages
    return dict(counts)
