"""A node without free memory, and nobody killed for it. For root."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import numa

_FREE_MAX = 1 << 30
_HELD_FOR_FILES = 96 << 20  # more than the kernel holds on a node after its caches were dropped
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
_COMPACT = Path("/proc/sys/vm/compact_memory")


@contextmanager
def full_node(node: int, spare: int) -> Iterator[None]:
    """Reserves the free memory of a node for huge pages, and gives a little of it back.

    What is free there in small pieces stays free, and files that the kernel holds there it gives up
    to make room: to find the node full takes more than ``spare`` (``too_many_pages``).

    Args:
        node: A small one: on a machine with large nodes the test is skipped.
        spare: Bytes to give back.
    """
    free = numa.free_memory(node)
    if free > _FREE_MAX:
        pytest.skip(f"would take {free >> 20} MiB, too much here: the nodes of the lab are smaller")
    pool = _pool(node)
    before = pool.read_text()
    try:
        _DROP_CACHES.write_text("1")  # or else the kernel finds room there later
        _COMPACT.write_text("1")
        pool.write_text(str(free))  # more than there can be: the kernel makes as many as it can
        pages = int(pool.read_text())
        pool.write_text(str(pages - -(-spare // _page_size(pool))))
        yield
    finally:
        pool.write_text(before)


def too_many_pages(node: int) -> int:
    """So many small pages that a full node has no room for all of them."""
    return (numa.free_memory(node) + _HELD_FOR_FILES) // mmap.PAGESIZE


def _pool(node: int) -> Path:
    """The file that says how many of the smallest huge pages a node has."""
    pools = Path(f"/sys/devices/system/node/node{node}/hugepages").glob("*/nr_hugepages")
    found = min(pools, key=_page_size, default=None)
    if found is None:
        pytest.skip("needs a kernel with hugetlb, as the lab's are")
    return found


def _page_size(pool: Path) -> int:
    return int(pool.parent.name[len("hugepages-") : -len("kB")]) * 1024
