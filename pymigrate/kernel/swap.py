"""Swap: what the machine has, and what a process may have of it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from pymigrate import _files
from pymigrate.kernel._memory_files import kilobytes
from pymigrate.kernel.cgroups import unified_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Swap", "SwapArea", "cgroup_room", "limited_cgroups"]


@dataclass(frozen=True)
class SwapArea:
    """One line of /proc/swaps (proc_swaps(5)).

    Attributes:
        path: The device or file.
        kind: ``"zram"``, ``"partition"`` or ``"file"``. zram is memory too: what is evicted there
            is compressed, and not gone.
        size: Bytes.
        used: Bytes.
    """

    path: str
    kind: str
    size: int
    used: int


@dataclass(frozen=True)
class Swap:
    """Swap as one process finds it now.

    Attributes:
        total: Bytes of all areas.
        free: Bytes of these that nobody has.
        areas: The areas.
        cgroup_room: Bytes that its cgroup may still swap (memory.swap.max); None without a limit.
    """

    total: int
    free: int
    areas: tuple[SwapArea, ...]
    cgroup_room: int | None

    @classmethod
    def read(cls, pid: int) -> Swap:
        """Looks now; pid 0 is the calling process.

        Raises:
            KernelError: /proc/meminfo cannot be read.
        """
        try:
            fields = _files.parse_fields(_files.read_lines("/proc/meminfo"))
        except OSError as error:
            raise _files.unreadable(error) from None
        return cls(
            total=kilobytes(fields, "SwapTotal"),
            free=kilobytes(fields, "SwapFree"),
            areas=tuple(_areas()),
            cgroup_room=cgroup_room(limited_cgroups(pid)),
        )

    @property
    def room(self) -> int:
        """Bytes that can be evicted to swap."""
        return self.free if self.cgroup_room is None else min(self.free, self.cgroup_room)


def limited_cgroups(pid: int) -> list[str]:
    """The folders of the cgroups of a process that limit its swap, which may be none."""
    return [folder for folder in unified_folders(pid) if _limit(folder) is not None]


def cgroup_room(folders: Sequence[str]) -> int | None:
    """Bytes that may still be swapped below all of these; None without a limit."""
    rooms = []
    for folder in folders:
        limit = _limit(folder)
        if limit is not None:
            with suppress(OSError):  # it is gone since
                used = int(_files.read_text(f"{folder}/memory.swap.current"))
                rooms.append(max(0, limit - used))
    return min(rooms, default=None)


def _limit(folder: str) -> int | None:
    try:
        text = _files.read_text(f"{folder}/memory.swap.max").strip()
    except OSError:
        return None  # no memory controller there, as in the root, or it is gone
    return None if text == "max" else int(text)


def _areas() -> list[SwapArea]:
    try:
        lines = _files.read_lines("/proc/swaps")[1:]
    except OSError:
        return []  # a kernel without swap
    areas = []
    for line in lines:
        path, kind, size, used, _ = line.rsplit(None, 4)  # all but the path are words
        if os.path.basename(path).startswith("zram"):
            kind = "zram"
        areas.append(SwapArea(path, kind, int(size) * 1024, int(used) * 1024))
    return areas
