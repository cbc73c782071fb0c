"""The kernel's own calls for placing memory and finding it: what the library is measured with."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support.syscalls import call, numbers

# include/uapi/linux/mempolicy.h
DEFAULT = 0
PREFERRED = 1
BIND = 2
INTERLEAVE = 3
_MPOL_MF_MOVE = 1 << 1

_WORDS = 1024 // 8 // ctypes.sizeof(ctypes.c_ulong)  # as many nodes as any kernel is built for
_WORD_BITS = 8 * ctypes.sizeof(ctypes.c_ulong)
# A 64-bit kernel takes the addresses of a 32-bit process in batches of 16, and many take the first
# of them for all (do_pages_stat() in mm/migrate.c).
_QUERY = 16 if _WORD_BITS == 32 else 1 << 20
_MAXNODE = _WORDS * _WORD_BITS + 1


def set_policy(mode: int, nodes: Collection[int] = ()) -> None:
    """Where this thread gets memory from now on (set_mempolicy(2))."""
    call(numbers().set_mempolicy, mode, _mask(nodes), _MAXNODE)


def get_policy() -> tuple[int, set[int]]:
    """The policy of this thread, as ``set_policy`` takes it (get_mempolicy(2))."""
    mode, mask = ctypes.c_int(), _mask(())
    call(numbers().get_mempolicy, ctypes.byref(mode), mask, _MAXNODE, 0, 0)
    nodes = {bit for bit in range(_MAXNODE - 1) if mask[bit // _WORD_BITS] >> bit % _WORD_BITS & 1}
    return mode.value, nodes


@contextmanager
def policy(mode: int, nodes: Collection[int]) -> Iterator[None]:
    """The same for the length of a block."""
    before = get_policy()
    set_policy(mode, nodes)
    try:
        yield
    finally:
        set_policy(*before)


def set_range_policy(start: int, size: int, mode: int, nodes: Collection[int]) -> None:
    """Where some addresses of this process get memory from now on (mbind(2)); no page moves."""
    call(numbers().mbind, start, size, mode, _mask(nodes), _MAXNODE, 0)


def nodes_of(pid: int, addresses: Sequence[int]) -> list[int]:
    """On which node the page at each address is (move_pages(2)).

    A negative errno stands where it is on none: -ENOENT, not in memory.
    """
    found: list[int] = []
    for first in range(0, len(addresses), _QUERY):
        batch = addresses[first : first + _QUERY]
        status = (ctypes.c_int * len(batch))()
        pages = (ctypes.c_void_p * len(batch))(*batch)
        call(numbers().move_pages, pid, len(batch), pages, 0, status, 0)
        found += status
    return found


def move_pages(pid: int, addresses: Sequence[int], nodes: Sequence[int]) -> None:
    """Puts each page of a process on a node of its own (move_pages(2))."""
    count = len(addresses)
    pages = (ctypes.c_void_p * count)(*addresses)
    targets, status = (ctypes.c_int * count)(*nodes), (ctypes.c_int * count)()
    call(numbers().move_pages, pid, count, pages, targets, status, _MPOL_MF_MOVE)


class Mapping(NamedTuple):
    """What numa_maps says of a mapping: its policy in the kernel's words, and pages by node."""

    policy: str
    pages: dict[int, int]


def numa_map(pid: int, address: int) -> Mapping:
    """Looks up the mapping that starts at an address (proc_pid_numa_maps(5))."""
    text = Path(f"/proc/{pid}/numa_maps").read_text()
    line = re.search(rf"^0*{address:x} (.*?)(?= \S+=|$).*", text, re.MULTILINE)
    if line is None:
        raise LookupError(f"no mapping of {pid} starts at {address:#x}:\n{text}")
    pages = re.findall(r" N(\d+)=(\d+)", line[0])
    return Mapping(line[1], {int(node): int(count) for node, count in pages})


def free_memory(node: int) -> int:
    """Bytes of a node that nobody uses."""
    text = Path(f"/sys/devices/system/node/node{node}/meminfo").read_text()
    free = re.search(r"MemFree: +(\d+) kB", text)
    assert free
    return int(free[1]) * 1024


def _mask(nodes: Collection[int]) -> ctypes.Array[ctypes.c_ulong]:
    mask = (ctypes.c_ulong * _WORDS)()
    for node in nodes:
        mask[node // _WORD_BITS] |= 1 << node % _WORD_BITS
    return mask
