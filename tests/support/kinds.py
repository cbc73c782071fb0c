"""Memory of every kind, with a known content, made on one node."""

from __future__ import annotations

import ctypes
import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import numa
from support.credentials import check

PAGE = mmap.PAGESIZE
HUGE = 2 * 1024 * 1024
HUGE_PAGES = HUGE // PAGE

# include/uapi/asm-generic/mman-common.h, include/uapi/linux/mman.h
MAP_HUGETLB = 0x40000
MADV_MERGEABLE = 12

_libc = ctypes.CDLL(None, use_errno=True)


class Memory:
    """A mapping that is filled while its pages come from one node.

    Args:
        node: Where.
        size: Bytes.
        flags: Of the mapping: private anonymous memory, if none are given.
        file: What is mapped.
        advice: Of madvise(2), given before the memory is touched.
        content: What is written; noise, if none is given.

    Attributes:
        address: Of its first byte.
        size: Bytes.
    """

    def __init__(
        self,
        node: int,
        size: int,
        *,
        flags: int = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
        file: int = -1,
        advice: int = mmap.MADV_NOHUGEPAGE,
        content: bytes = b"",
    ) -> None:
        # A huge page more, so that the memory can start where one does.
        self._map = mmap.mmap(file, size + (HUGE if advice == mmap.MADV_HUGEPAGE else 0), flags)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = -(-start // HUGE) * HUGE if advice == mmap.MADV_HUGEPAGE else start
        self.size = size
        if not flags & MAP_HUGETLB:
            self._map.madvise(advice)
        with numa.policy(numa.BIND, {node}):
            self.write(content or _noise(size))

    def write(self, content: bytes) -> None:
        """Replaces all of the content."""
        ctypes.memmove(self.address, content, self.size)
        self._checksum = zlib.crc32(content)

    def intact(self) -> bool:
        """Whether every byte is as it was."""
        return zlib.crc32(ctypes.string_at(self.address, self.size)) == self._checksum

    def addresses(self) -> range:
        """Of its pages."""
        return range(self.address, self.address + self.size, PAGE)

    def in_memory(self) -> list[bool]:
        """Of each page, whether it is in memory, mapped or not (mincore(2))."""
        found = (ctypes.c_ubyte * (self.size // PAGE))()
        place = ctypes.c_void_p(self.address)
        check(_libc.mincore(place, ctypes.c_size_t(self.size), found))
        return [bool(byte & 1) for byte in found]

    def lock(self, offset: int = 0, size: int = 0) -> None:
        """Keeps it, or a part of it, in memory (mlock(2))."""
        place = ctypes.c_void_p(self.address + offset)
        check(_libc.mlock(place, ctypes.c_size_t(size or self.size)))

    def protect(self, offset: int, size: int, protection: int) -> None:
        """Changes what may be done with a part of it (mprotect(2))."""
        place = ctypes.c_void_p(self.address + offset)
        check(_libc.mprotect(place, ctypes.c_size_t(size), protection))

    def unmap(self, offset: int, size: int) -> None:
        """Takes a part of it away (munmap(2)); it cannot be asked for its content any more."""
        place = ctypes.c_void_p(self.address + offset)
        check(_libc.munmap(place, ctypes.c_size_t(size)))


def _noise(size: int) -> bytes:
    """Random bytes, in which no page is like another near it."""
    piece = os.urandom(257 * PAGE - 8)
    return (piece * (size // len(piece) + 1))[:size]


class Pinned(Memory):
    """Memory of which the first pages are in use by the kernel: they wait in a pipe."""

    def __init__(self, node: int, size: int, pinned: int, **how: int) -> None:
        super().__init__(node, size, **how)  # type: ignore[arg-type]
        self._reader, self._writer = os.pipe()
        piece = (ctypes.c_void_p * 2)(self.address, pinned * PAGE)
        assert check(_libc.vmsplice(self._writer, piece, ctypes.c_ulong(1), 0)) == pinned * PAGE

    def release(self) -> None:
        """Takes them out of the pipe."""
        os.close(self._writer)
        while os.read(self._reader, 1 << 20):
            pass


@contextmanager
def huge_page_pool(node: int, pages: int) -> Iterator[None]:
    """Huge pages of 2 MiB on a node."""
    pool = f"/sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages"
    with setting(pool, str(pages)):
        if int(Path(pool).read_text()) < pages:
            pytest.skip(f"node {node} has no {pages} huge pages to give")
        yield


@contextmanager
def setting(path: str, value: str) -> Iterator[None]:
    """Another value of a file in /proc or /sys."""
    file = Path(path)
    before = file.read_text().strip()
    # Of several words the kernel puts the valid one in brackets.
    if "[" in before:
        before = before.partition("[")[2].partition("]")[0]
    file.write_text(value)
    try:
        yield
    finally:
        file.write_text(before)
