"""Mappings that a child makes, and touches when it is asked to."""

from __future__ import annotations

import ctypes
import mmap

from support.credentials import check

PAGE = mmap.PAGESIZE
PAGES = 1000
SIZE = PAGES * PAGE
MANY = 20_000

_PROT_READ = 1  # include/uapi/asm-generic/mman-common.h

_libc = ctypes.CDLL(None, use_errno=True)


class Map:
    """A mapping of ``PAGES`` pages that is touched when it is asked to."""

    def __init__(self, file: int = -1, flags: int = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) -> None:
        self._map = mmap.mmap(file, SIZE, flags)
        self._map.madvise(mmap.MADV_NOHUGEPAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))

    def where(self) -> int:
        """Its address."""
        return self.address

    def touch(self) -> None:
        """Writes to every page."""
        for offset in range(0, SIZE, PAGE):
            self._map[offset] = 1

    def read(self) -> None:
        """Reads every page."""
        for offset in range(0, SIZE, PAGE):
            assert self._map[offset] in range(256)


def anonymous() -> Map:
    """Private memory without a file."""
    return Map()


def striped() -> mmap.mmap:
    """``MANY`` mappings and as many gaps in access between them."""
    memory = mmap.mmap(-1, 2 * MANY * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for i in range(0, 2 * MANY, 2):
        memory[i * PAGE] = 1
        check(_libc.mprotect(ctypes.c_void_p(start + i * PAGE), ctypes.c_size_t(PAGE), _PROT_READ))
    return memory
