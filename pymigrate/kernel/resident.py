"""``residency()``: on which nodes the pages of a process are, in one pass over numa_maps."""

from __future__ import annotations

import errno

from pymigrate import _files
from pymigrate._checks import check_flag, check_pid
from pymigrate._native import ffi, lib
from pymigrate.errors import InvalidArgument, InvalidType, KernelError, NoSuchProcess, quote
from pymigrate.kernel._memory_files import MemoryFiles, kilobytes, malformed, read_rollup
from pymigrate.nodemask import NodeMask
from pymigrate.units import KINDS, PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pymigrate._shim import ResidencySums

__all__ = ["Residency", "residency"]

_ATTEMPTS = 3  # a process that is being started replaces its memory once or twice

# The fields of smaps_rollup that count transparent huge pages, in kB (proc_pid_smaps(5)).
_THP_FIELDS = ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped")


class Residency:
    """Base pages by node and kind of mapping: an immutable value, or the difference of two.

    Args:
        counts: Pages by (node, kind); zeros are left out.
        swapped: Bytes in swap.
        thp: Bytes in transparent huge pages, where they were asked for.

    Attributes:
        swapped: Bytes of anonymous memory in swap, which is on no node. Shared memory in swap is
            not among them: the kernel counts it for no process.
        thp: Bytes in transparent huge pages, which are also counted in their kind; None where
            they were not asked for.
    """

    __slots__ = ("_counts", "swapped", "thp")

    def __init__(
        self, counts: Mapping[tuple[int, str], int], *, swapped: int = 0, thp: int | None = None
    ) -> None:
        unknown = {kind for _, kind in counts}.difference(KINDS)
        if unknown:
            raise InvalidArgument(f"kinds are {', '.join(KINDS)}, not {', '.join(unknown)}")
        self._counts = {key: counts[key] for key in sorted(counts) if counts[key]}
        self.swapped = swapped
        self.thp = thp

    @property
    def nodes(self) -> NodeMask:
        """The nodes that have pages of it."""
        return NodeMask({node for node, _ in self._counts})

    def pages(self, node: int | None = None, kind: str | None = None) -> int:
        """Base pages on a node or on all, of a kind or of all.

        Raises:
            InvalidArgument: There is no such kind.
            InvalidType: That is no node number.
        """
        _check_node(node)
        if kind is not None and kind not in KINDS:
            raise InvalidArgument(f"kind {quote(kind)}: kinds are {', '.join(KINDS)}")
        return sum(
            count
            for (on, of), count in self._counts.items()
            if node in (None, on) and kind in (None, of)
        )

    def bytes(self, node: int | None = None, kind: str | None = None) -> int:
        """The same in bytes."""
        return self.pages(node, kind) * PAGE_SIZE

    def __add__(self, other: Residency) -> Residency:
        return self._combine(other, 1)

    def __sub__(self, other: Residency) -> Residency:
        return self._combine(other, -1)

    def _combine(self, other: Residency, sign: int) -> Residency:
        if not isinstance(other, Residency):
            return NotImplemented
        counts = dict(self._counts)
        for key, count in other._counts.items():
            counts[key] = counts.get(key, 0) + sign * count
        both = self.thp is not None and other.thp is not None
        return Residency(
            counts,
            swapped=self.swapped + sign * other.swapped,
            thp=(self.thp or 0) + sign * (other.thp or 0) if both else None,
        )

    def _key(self) -> tuple[object, ...]:
        return tuple(self._counts.items()), self.swapped, self.thp

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Residency) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __bool__(self) -> bool:
        """Whether any page is counted, or any difference."""
        return bool(self._counts)

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes: pages by node (as text) and kind, and the sums."""
        return {
            "page_size": PAGE_SIZE,
            "pages": {
                str(node): {kind: self.pages(node, kind) for kind in KINDS} for node in self.nodes
            },
            "total_pages": self.pages(),
            "swapped_bytes": self.swapped,
            "thp_bytes": self.thp,
        }

    def __str__(self) -> str:
        """One line: ``node 0: 1.5 GiB, node 1: 20.0 MiB; swapped 4.0 KiB``."""
        nodes = [f"node {node}: {format_bytes(self.bytes(node))}" for node in self.nodes]
        swapped = f"; swapped {format_bytes(self.swapped)}" if self.swapped else ""
        return (", ".join(nodes) or "no pages") + swapped

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


def _check_node(node: int | None) -> None:
    if node is not None and (isinstance(node, bool) or not hasattr(node, "__index__")):
        raise InvalidType(f"node {quote(node)}: give a node number, an int, or None for all")


def residency(pid: int, *, thp: bool = False, files: MemoryFiles | None = None) -> Residency:
    """Counts the pages of a process by node and kind.

    The kernel walks the page tables of the process for this, under a lock that the process needs
    to map memory: some 10 ms for each GiB of 4 KiB pages. For very large processes there is
    ``sample_residency()``.

    A page that several processes map is counted for each of them. The shared page of zeros and
    memory of devices are on no node that is counted. A shared mapping is told by where its file
    is; a tmpfs below another filesystem (overlay) counts as files.

    Args:
        pid: The process, or one of its threads; 0 is the calling process.
        thp: Whether transparent huge pages are counted too, which is a second walk.
        files: Its files, if they are open already; read from their start, and left open.

    Raises:
        InvalidArgument: It is no pid, or ``thp`` is no bool.
        NoSuchProcess: There is no such process, or it ended meanwhile (reason ``"gone"``); or it
            replaced its memory by exec (``"replaced"``) and ``files`` are of the old one. Without
            ``files`` the new memory is counted.
        NoUserMemory: It is a kernel thread or a zombie.
        NotPermitted: The caller may not look at it (reason ``"ptrace"``).
        Unsupported: The kernel was built without NUMA.
    """
    check_pid(pid)
    check_flag("thp", thp)
    if files is not None:
        return _count(files, thp)
    attempts = _ATTEMPTS
    while True:
        try:
            with MemoryFiles(pid) as opened:
                return _count(opened, thp)
        except NoSuchProcess as error:
            attempts -= 1
            if error.reason != "replaced" or not attempts:
                raise


def _count(files: MemoryFiles, thp: bool) -> Residency:
    files.rewind()
    mounts = files.mounts
    sums = ffi.new("struct pm_residency *")
    result = lib.pm_residency_read(files.numa_maps, PAGE_SIZE, mounts, len(mounts), sums)
    swapped = kilobytes(_files.read_status(files.pid), "VmSwap")
    huge = _read_thp(files.pid) if thp else None
    files.check()
    if result == -errno.EBADMSG:
        raise malformed(files.pid, sums.vmas + 1)
    if result < 0:
        raise KernelError(-result, "numa_maps could not be read to its end", pid=files.pid)
    return Residency(_by_node(sums), swapped=swapped, thp=huge)


def _by_node(sums: ResidencySums) -> dict[tuple[int, str], int]:
    return {
        (node, kind): pages[node]
        for pages, kind in zip(sums.pages, KINDS)
        for node in range(sums.nodes)
        if pages[node]
    }


def _read_thp(pid: int) -> int:
    fields = read_rollup(pid)
    return sum(kilobytes(fields, name) for name in _THP_FIELDS)
