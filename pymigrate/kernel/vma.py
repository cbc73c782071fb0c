"""The mappings of a process, each with its pages by node: numa_maps joined with maps."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from pymigrate._checks import check_pid
from pymigrate._native import ffi, lib
from pymigrate.kernel._memory_files import MemoryFiles, lines, malformed
from pymigrate.kernel.policy import Policy
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pymigrate._shim import NumaLine

__all__ = ["Vma", "vmas"]

# What show_numa_map() escapes in a path. A backslash stands for itself, so a name that has such a
# sequence of its own cannot be told from an escape.
_ESCAPE = re.compile(rb"\\(011|012|040|075)")


@dataclass(frozen=True)
class Vma:
    """One mapping (virtual memory area) at one moment. Pages are base pages (``PAGE_SIZE``).

    Attributes:
        start: Address of its first byte.
        end: Address after its last byte. Where the mapping changed between the two looks at it, no
            more than what has to be there is claimed.
        kind: ``"anonymous"``, ``"file"``, ``"shared"`` (shmem) or ``"hugetlb"``.
        page_size: Bytes of its pages: the size of a hugetlb page, else of a base page. 0 for
            hugetlb without any page, where the kernel does not tell.
        policy: Its own memory policy, or that of the task.
        path: The file, with ``" (deleted)"`` where it has no name any more; ``"[heap]"``,
            ``"[stack]"`` and the like; empty for the rest.
        permissions: As in maps: ``"rw-p"``. Empty where the mapping is gone from it.
        device: Major and minor number of what the file is on.
        pages: Pages by node, without nodes that have none. The kernel's own, which every process
            is shown (vdso, vvar), are not counted.
        anonymous: Pages that no file backs, private copies of a file's pages included.
        dirty: Pages that were written to.
        active: Pages that the kernel holds for recently used.
        writeback: Pages that are being written to disk.
        swap_cached: Pages that also have a place in swap.
        sharers: Processes that map its most shared page, 1 at least.
    """

    start: int
    end: int
    kind: str
    page_size: int
    policy: Policy
    path: str
    permissions: str
    device: tuple[int, int]
    pages: dict[int, int]
    anonymous: int
    dirty: int
    active: int
    writeback: int
    swap_cached: int
    sharers: int

    @property
    def size(self) -> int:
        """Bytes of addresses."""
        return self.end - self.start

    @property
    def resident(self) -> int:
        """Pages in memory."""
        return sum(self.pages.values())

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes; the policy and the device as the kernel writes them."""
        return {
            **vars(self),
            "policy": str(self.policy),
            "device": f"{self.device[0]:02x}:{self.device[1]:02x}",
        }


def vmas(pid: int, *, files: MemoryFiles | None = None) -> Iterator[Vma]:
    """The mappings of a process in the order of their addresses, one at a time.

    The kernel walks the page tables of each mapping when it is asked for, and does not hold the
    process in between: each mapping is true by itself, the whole need not be of one moment. Memory
    is bounded, however many there are. Errors come with the first item, the end of the process
    also later.

    Args:
        pid: The process, or one of its threads; 0 is the calling process.
        files: Its files, if they are open already; read from their start, and left open.

    Raises:
        InvalidArgument: It is no pid.
        NoSuchProcess: There is no such process; or it ended (reason ``"gone"``) or replaced its
            memory (``"replaced"``) before the end was reached.
        NoUserMemory: It is a kernel thread or a zombie.
        NotPermitted: The caller may not look at it (reason ``"ptrace"``).
        Unsupported: The kernel was built without NUMA.
    """
    check_pid(pid)
    with nullcontext(files) if files else MemoryFiles(pid) as opened:
        opened.rewind()
        yield from _join(opened)
        opened.check()


def _join(files: MemoryFiles) -> Iterator[Vma]:
    mounts = files.mounts
    line = ffi.new("struct pm_numa_line *")
    policies: dict[bytes, Policy] = {}
    areas = map(_parse_area, lines(files.maps))
    area = _NOWHERE
    for number, text in enumerate(lines(files.numa_maps), 1):
        if lib.pm_numa_line_parse(text, len(text), line) < 0:
            raise malformed(files.pid, number)
        start = line.start
        while area.end <= start:
            area = next(areas, _BEYOND)
        kind = KINDS[lib.pm_mapping_kind(line, text, mounts, len(mounts))]
        raw_policy = text[line.policy : line.policy + line.policy_length]
        policy = policies.get(raw_policy)
        if policy is None:
            policy = policies[raw_policy] = Policy.parse(raw_policy.decode("ascii", "replace"))
        # Where the mapping is gone from maps already, its end is not known.
        known = area if area.start <= start else _NOWHERE
        yield _vma(text, line, known, kind, policy)


def _vma(text: bytes, line: NumaLine, area: _Area, kind: str, policy: Policy) -> Vma:
    # A hugetlb mapping without pages says no page size.
    span = line.page_size // PAGE_SIZE if line.huge else 1
    counted = 0 if lib.pm_mapping_is_kernels(line) else line.nodes
    pages = {line.node[i]: line.pages[i] * span for i in range(counted)}
    least = line.start + (line.total * span or 1) * PAGE_SIZE
    return Vma(
        start=line.start,
        end=max(area.end, least),
        kind=kind,
        page_size=line.page_size if line.huge else PAGE_SIZE,
        policy=policy,
        path=area.path or _path(text, line),
        permissions=area.permissions,
        device=area.device,
        pages=pages,
        anonymous=line.anon * span,
        dirty=line.dirty * span,
        active=line.active,
        writeback=line.writeback * span,
        swap_cached=line.swapcache * span,
        sharers=line.mapmax or 1,
    )


def _path(text: bytes, line: NumaLine) -> str:
    if line.path_length:
        raw = text[line.path : line.path + line.path_length]
        return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), raw))
    return "[heap]" if line.heap else "[stack]" if line.stack else ""


class _Area(NamedTuple):
    """A line of maps (proc_pid_maps(5))."""

    start: int
    end: int
    permissions: str
    device: tuple[int, int]
    path: str


_NOWHERE = _Area(0, 0, "", (0, 0), "")
_BEYOND = _Area(1 << 64, 1 << 65, "", (0, 0), "")


def _parse_area(text: bytes) -> _Area:
    addresses, permissions, _, device, _, *path = text.split(None, 5)
    start, _, end = addresses.partition(b"-")
    major, _, minor = device.partition(b":")
    return _Area(
        int(start, 16),
        int(end, 16),
        permissions.decode("ascii"),
        (int(major, 16), int(minor, 16)),
        os.fsdecode(path[0].replace(b"\\012", b"\n")) if path else "",
    )
