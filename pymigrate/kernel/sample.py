"""``sample_residency()``: on which nodes the pages of a process are, from a sample of them."""

from __future__ import annotations

import errno
import os
import random

from pymigrate._checks import check_pid
from pymigrate._native import ffi, lib
from pymigrate.errors import (
    InvalidArgument,
    InvalidType,
    KernelError,
    NotPermitted,
    Unsupported,
    quote,
)
from pymigrate.kernel._memory_files import MemoryFiles, lines, open_memory_file, unnameable
from pymigrate.kernel.estimate import HIDDEN, NO_NODE, ResidencyEstimate, draw, estimate
from pymigrate.kernel.nodes import balancing_mode
from pymigrate.nodemask import NodeMask
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["sample_residency"]

_DEFAULT_SAMPLES = 16384

_BATCH = 512  # queries in one call, some 0.7 us each

# Pages of the kernel that are mapped into every process: numa_maps does not count them.
_NOT_COUNTED = (b"[vdso]", b"[vvar]", b"[vvar_vclock]", b"[vsyscall]")


def sample_residency(
    pid: int, *, samples: int = _DEFAULT_SAMPLES, seed: int | None = None
) -> ResidencyEstimate:
    """Estimates on which nodes the pages of a process are.

    Where ``residency()`` walks all page tables, this asks for the nodes of some pages, a few
    hundred at a time, so that the process is never held up for more than a fraction of a
    millisecond, however large it is. Pages count for the node that they are on, not by kind.

    The error shrinks with the root of ``samples``; it grows with address space that is reserved
    and not used, as that is sampled too.

    Args:
        pid: The process, or one of its threads; 0 is the calling process.
        samples: Pages to look at, 2 at least. If there are no more than that, each is looked at.
        seed: Of the random numbers, for results that can be repeated.

    Raises:
        InvalidArgument: It is no pid, ``samples`` is too small, or ``seed`` is no int.
        NoSuchProcess: There is no such process, or it ended (reason ``"gone"``) or replaced its
            memory (``"replaced"``) meanwhile.
        NoUserMemory: It is a kernel thread or a zombie.
        NotPermitted: The caller may not look at it.
        Unsupported: The kernel was built without NUMA, or the process has addresses that a 32-bit
            caller cannot name.
    """
    check_pid(pid)
    if type(samples) is not int or samples < 2:
        raise InvalidArgument(f"samples {quote(samples)}: an int of 2 or more")
    if seed is not None and type(seed) is not int:
        raise InvalidType(f"seed {quote(seed)}: an int, or None")
    with MemoryFiles(pid) as files:
        ranges = [_range(line) for line in lines(files.maps) if not line.endswith(_NOT_COUNTED)]
        population = sum(len(pages) for pages in ranges)
        # Random enough, and repeatable; nobody has to be kept from guessing.
        strata, positions = draw(population, samples, random.Random(seed))  # noqa: S311
        addresses = list(_addresses(ranges, positions))
        found: list[int] = []
        with _Lookup(files) as lookup:
            for i in range(0, len(addresses), _BATCH):
                found += lookup.nodes(addresses[i : i + _BATCH])
        files.check()
    return estimate(strata, found, NodeMask.has_memory())


def _range(line: bytes) -> range:
    start, _, end = line.split(b" ", 1)[0].partition(b"-")
    return range(int(start, 16), int(end, 16), PAGE_SIZE)


def _addresses(ranges: Iterable[range], positions: Iterable[int]) -> Iterator[int]:
    """The addresses at ascending positions in ranges that are laid end to end."""
    remaining = iter(ranges)
    here, before = range(0), 0
    for position in positions:
        while position - before >= len(here):
            before += len(here)
            here = next(remaining)
        yield here[position - before]


class _Lookup:
    """Asks the kernel for the nodes of pages; a context manager."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files
        self._pagemap = open_memory_file(files.pid, "pagemap") if balancing_mode() else -1
        self._memory = ffi.new("struct pm_memory[]", [(self._pagemap, PAGE_SIZE, 0)])

    def __enter__(self) -> _Lookup:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pagemap >= 0:
            os.close(self._pagemap)

    def nodes(self, addresses: Sequence[int]) -> list[int]:
        """The node of each page, ``NO_NODE`` or ``HIDDEN``."""
        count = len(addresses)
        try:
            pages = ffi.new("uintptr_t[]", addresses)
        except OverflowError:
            raise unnameable(self._files.pid) from None
        status = ffi.new("int[]", count)
        pointers = ffi.cast("void **", pages)
        result = lib.pm_query(self._files.pid, pointers, count, status)
        if result < 0:
            self._files.check()
            raise _refused(-result, self._files.pid)
        return [self._node(status[i], addresses[i]) for i in range(count)]

    def _node(self, status: int, address: int) -> int:
        if status >= 0:
            return status
        unseen = status == -errno.ENOENT and self._pagemap >= 0
        return HIDDEN if unseen and lib.pm_is_present(self._memory, address) else NO_NODE


def _refused(number: int, pid: int) -> KernelError:
    if number in (errno.EPERM, errno.EACCES):
        cause = "the caller may not ask for its pages"
        return NotPermitted(number, cause, pid=pid, reason="ptrace")
    if number == errno.ENOSYS:
        return Unsupported(number, "there is no move_pages system call", pid=pid, reason="kernel")
    return KernelError(number, "move_pages does not tell where its pages are", pid=pid)
