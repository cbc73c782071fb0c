"""The peers that are written in C: compiled for this run, and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from target import PROGRAM, Target

SOURCES = Path(__file__).with_name("peers")
LIBRARY = "peers.so"

_COMPILE = ("gcc", "-O2", "-pthread")  # the same for all of them

_U64 = ctypes.c_uint64


def compile_into(folder: Path) -> None:
    """Compiles the library of peers, and the program whose memory is moved."""
    library = [path for path in SOURCES.glob("*.c") if path.stem != PROGRAM]
    _run(*library, "-shared", "-fPIC", "-o", folder / LIBRARY)
    # Without the pages of a C library in it, what moves is the memory that was asked for.
    _run(SOURCES / f"{PROGRAM}.c", "-static", "-o", folder / PROGRAM)


def _run(*arguments: str | Path) -> None:
    subprocess.run([*_COMPILE, *arguments], check=True)


class Peers:
    """The compiled peers. Other threads run during a call.

    Args:
        folder: Where they were compiled into.

    Attributes:
        folder: The same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._library = ctypes.CDLL(str(folder / LIBRARY))
        self._library.peer_migrate.restype = ctypes.c_long
        self._library.peer_move.restype = ctypes.c_long
        self._library.peer_evict.restype = ctypes.c_long
        self._library.peer_compute.restype = _U64
        self._library.peer_read.restype = ctypes.c_long

    def migrate(self, pid: int, old: int, new: int, times: int = 1) -> None:
        """migrate_pages(2) from one node to another, so many times."""
        masks = ctypes.c_ulong(1 << old), ctypes.c_ulong(1 << new)
        result = self._library.peer_migrate(pid, *masks, ctypes.c_long(times))
        if result:
            raise RuntimeError(f"migrate_pages returned {result}")

    def move(self, held: Target, *, old: int, new: int, batch_size: int, threads: int = 1) -> None:
        """Moves a target's memory batch by batch: query, move_pages(2), account."""
        area = (held.address, held.size, held.page_size, batch_size)
        moved = self._library.peer_move(held.pid, *map(_U64, area), old, new, threads)
        if moved != held.size // held.page_size:
            raise RuntimeError(f"{moved} of {held.size // held.page_size} pages moved")

    def evict(self, held: Target) -> None:
        """process_madvise(2) with MADV_PAGEOUT for a target's memory."""
        advised = self._library.peer_evict(held.pid, _U64(held.address), _U64(held.size))
        if advised != held.size:
            raise RuntimeError(f"process_madvise returned {advised}")

    def compute(self, threads: int, rounds: int) -> None:
        """Pure computation, shared by threads."""
        self._library.peer_compute(threads, _U64(rounds))

    def read(self, path: str) -> None:
        """Reads a file to its end."""
        if self._library.peer_read(path.encode()) <= 0:
            raise RuntimeError(f"{path} could not be read")
