"""How much swap an eviction takes: what has to go there, and not what stays in memory anyway."""

from __future__ import annotations

import os
import re

from pymigrate import _files
from pymigrate._native import ffi, lib
from pymigrate.kernel._memory_files import kilobytes, open_memory_file, read_memory_file
from pymigrate.kernel.vma import vmas
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate._shim import CArray
    from pymigrate.kernel._memory_files import MemoryFiles
    from pymigrate.kernel.vma import Vma
    from pymigrate.nodemask import NodeMask
    from pymigrate.operations.routes import Routes

__all__ = ["need_of_swap"]

_START = re.compile(r"^([0-9a-f]+)-[0-9a-f]+ ", re.MULTILINE)
_LOCKED = re.compile(r"^VmFlags:.* lo\b", re.MULTILINE)


def need_of_swap(pid: int, routes: Routes, *, files: MemoryFiles | None = None) -> int:
    """Bytes on the nodes to be left that can only go to swap, and that the kernel lets go.

    That is anonymous and shared memory, and private copies of file pages; not what is locked, or
    mapped by other processes too. Where the kernel does not tell on which node such a page is, it
    counts for a node that keeps its pages: so much has to go to swap at the least.

    Args:
        pid: The process.
        routes: Which nodes' pages have to leave.
        files: Its files, if they are open already.

    Raises:
        NoSuchProcess, NoUserMemory, NotPermitted: As ``vmas()``.
    """
    locked = _locked(pid)
    pagemap = open_memory_file(pid, "pagemap")
    try:
        memory = ffi.new("struct pm_memory[]", [(pagemap, PAGE_SIZE, 0)])
        need = sum(
            _need(vma, memory, routes.sources)
            for vma in vmas(pid, files=files)
            if vma.start not in locked and vma.kind != "hugetlb"
        )
    finally:
        os.close(pagemap)
    return need * PAGE_SIZE


def _need(vma: Vma, memory: CArray, sources: NodeMask) -> int:
    """Base pages of one mapping."""
    on_sources = sum(pages for node, pages in vma.pages.items() if node in sources)
    if not on_sources:
        return 0
    shared = vma.kind == "shared"
    need = vma.resident if shared else vma.anonymous
    if need and vma.sharers > 1:
        need = lib.pm_count_exclusive(memory, vma.start, vma.end, shared)
    return max(0, need - (vma.resident - on_sources))


def _locked(pid: int) -> set[int]:
    """Where the mappings start that are locked in memory (mlock(2))."""
    if not kilobytes(_files.read_status(pid), "VmLck"):
        return set()  # for most processes; the file that tells which is a walk over all pages
    # The text before the first mapping is empty; then an address and what follows take turns.
    _, *parts = _START.split(read_memory_file(pid, "smaps"))
    return {int(start, 16) for start, text in zip(parts[::2], parts[1::2]) if _LOCKED.search(text)}
