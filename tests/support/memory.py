"""Memory of a known content on chosen nodes, and processes that hold it and can vouch for it."""

from __future__ import annotations

import ctypes
import mmap
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Callable

from support import numa
from support.processes import Servant, servant

PAGE = mmap.PAGESIZE

_PIECE = 256 * PAGE  # bytes that are written at once
_MADV_PAGEOUT = 21  # include/uapi/asm-generic/mman-common.h


class Block:
    """Anonymous memory in base pages, each on the node that it was made for.

    Its mapping has the default policy.

    Args:
        layout: The node of each page, in order.
        shared: Whether children of this process share it for good, as shmem (MAP_SHARED). Without
            that they do until somebody writes to it.

    Attributes:
        addresses: Of its pages.
    """

    def __init__(self, layout: Sequence[int], *, shared: bool = False) -> None:
        sharing = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
        self._map = mmap.mmap(-1, len(layout) * PAGE, sharing | mmap.MAP_ANONYMOUS)
        self._map.madvise(mmap.MADV_NOHUGEPAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.addresses = range(start, start + len(self._map), PAGE)
        noise = os.urandom(2 * _PIECE)
        for offset, (node, size) in enumerate(_pieces(layout)):
            # Another offset each time, so that no two pages are equal.
            content = noise[offset % _PIECE : offset % _PIECE + size]
            with numa.policy(numa.BIND, {node}):
                self._map.write(content)
        self._checksum = zlib.crc32(self._map)

    def intact(self) -> bool:
        """Whether every byte is as it was. Reads all of it, and brings it back from swap."""
        return zlib.crc32(self._map) == self._checksum

    def page_out(self, pages: int) -> None:
        """Asks the kernel to put the first pages into swap (madvise(2), MADV_PAGEOUT)."""
        self._map.madvise(_MADV_PAGEOUT, 0, pages * PAGE)


class Target:
    """A process that holds a block.

    Attributes:
        process: For what else it is to be asked.
        pid: Its id.
        addresses: Of the pages of its block.
    """

    def __init__(self, process: Servant[Block]) -> None:
        self.process = process
        self.pid = process.pid
        self.addresses: range = process.ask(attrgetter("addresses"))

    def nodes(self) -> list[int]:
        """The node of each page of its block, in order; a negative errno for what is on none."""
        return numa.nodes_of(self.pid, self.addresses)

    def counts(self) -> dict[int, int]:
        """Pages of its block by node, as numa_maps tells."""
        return numa.numa_map(self.pid, self.addresses[0]).pages

    def intact(self) -> bool:
        """Whether the process finds every byte of its block as it was."""
        return self.process.ask(Block.intact)

    def page_out(self, pages: int) -> None:
        """Has the process put the first pages of its block into swap, as far as the kernel does."""
        self.process.ask(Block.page_out, pages)


@contextmanager
def target(layout: Sequence[int], prepare: Callable[[], object] = lambda: None) -> Iterator[Target]:
    """A child that holds a block of its own, which nobody else maps.

    Args:
        layout: As for ``Block``.
        prepare: What the child does before it makes the block, such as to change its user.
    """

    def prepared() -> Block:
        prepare()
        return Block(layout)

    with servant(prepared) as process:
        yield Target(process)


def _pieces(layout: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Node and size of what is written at once."""
    for node, run in groupby(layout):
        left = PAGE * sum(1 for _ in run)
        while left:
            size = min(left, _PIECE)
            yield node, size
            left -= size
