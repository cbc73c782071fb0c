"""Puts pages out of memory: the Python face of csrc/evictor.h."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from pymigrate._native import ffi, lib
from pymigrate.errors import KernelError
from pymigrate.kernel._memory_files import lines, open_memory_file
from pymigrate.kernel.swap import cgroup_room, limited_cgroups
from pymigrate.operations.action import Action
from pymigrate.operations.advice import refused
from pymigrate.task import Task
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pymigrate._shim import ActionStep
    from pymigrate.kernel.process import Process
    from pymigrate.operations.routes import Routes
    from pymigrate.operations.stretch import Stretch

__all__ = ["Evictor"]

_NO_LIMIT = 2**64 - 1


class Evictor(Action):
    """Evicts the pages of a process from nodes.

    Args:
        process: Whose memory.
        routes: Which nodes' pages have to leave.
        without_swap: Leave what needs swap where it is.

    Raises:
        NoSuchProcess, NotPermitted: As ``Action``.
    """

    call = "process_madvise"

    def __init__(self, process: Process, routes: Routes, *, without_swap: bool) -> None:
        self._opened: list[int] = []
        group = Task.read(process.pid).group
        self._limited = limited_cgroups(process.pid)
        super().__init__(process, routes, dict.fromkeys(routes.sources, 0))
        self._evictor = ffi.new("struct pm_evictor *")
        self._introduce(self._evictor.subject)
        # For itself madvise(2) takes no privilege; process_madvise(2) does on many kernels.
        self._evictor.caches.own = group == os.getpid()
        if self._evictor.caches.own:
            self.call = "madvise"
            self._evictor.pidfd = -1
        else:
            self._evictor.pidfd = self._pidfd_of(process, group)
        self._evictor.without_swap = without_swap
        self._open_caches()
        if not process.alive():
            self.close()
            raise process.gone()

    def begin_round(self, kept: Iterable[Stretch]) -> None:
        """Readies what was left behind for another try, and the look at what leaves now."""
        if self._mem >= 0:
            for stretch in kept:
                lib.pm_recall(self._mem, stretch.open(), PAGE_SIZE)
        if not self._evictor.caches.own:
            caches = self._evictor.caches
            areas = list(_file_areas(self._pid, caches.map_files))
            self._areas = ffi.new("struct pm_area[]", areas)
            caches.areas, caches.count = self._areas, len(areas)
        lib.pm_drain()

    def close(self) -> None:
        """Gives the open files back."""
        for file in self._opened:
            os.close(file)
        super().close()

    def _pidfd_of(self, process: Process, group: int) -> int:
        """That of the process, or of the group that a thread belongs to, which has its memory.

        Raises:
            KernelError: There is none; a call without would be for the caller's own memory.
        """
        if process.pidfd >= 0:
            return process.pidfd
        opened: int = lib.pm_pidfd_open(group, 0)
        if opened < 0:
            self.close()
            raise KernelError(-opened, "pidfd_open does not name it to the kernel", pid=process.pid)
        self._opened.append(opened)
        return opened

    def _open_caches(self) -> None:
        """By what pages are seen that no page table holds; where it cannot be had, they are not."""
        caches = self._evictor.caches
        caches.kpageflags = self._open_if_allowed("/proc/kpageflags")
        caches.map_files = self._open_if_allowed(f"/proc/{self._pid}/map_files")
        self._mem = self._open_if_allowed(f"/proc/{self._pid}/mem")

    def _open_if_allowed(self, path: str) -> int:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1
        self._opened.append(file)
        return file

    def _take(self, step: ActionStep) -> int:
        room = cgroup_room(self._limited)
        # Of its own: other workers read theirs meanwhile.
        evictor = ffi.new("struct pm_evictor *", self._evictor[0])
        evictor.swap_room = _NO_LIMIT if room is None else room // PAGE_SIZE
        return lib.pm_evict_step(evictor, step)

    def _refused(self, number: int) -> KernelError:
        return refused(number, self._pid)


def _file_areas(pid: int, map_files: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and offset of each mapping of a file; none where they may not be seen."""
    if map_files < 0:
        return
    with suppress(KernelError):
        file = open_memory_file(pid, "maps")
        try:
            for line in lines(file):
                addresses, _, offset, _, inode = line.split(None, 5)[:5]
                start, end = (int(address, 16) for address in addresses.split(b"-"))
                if inode != b"0" and _is_regular(start, end, map_files):
                    yield start, end, int(offset, 16)
        finally:
            os.close(file)


def _is_regular(start: int, end: int, map_files: int) -> bool:
    # Asked here and not in C: to open a device may do something, and the function that tells has
    # a version of its own in newer C libraries, which a wheel would then depend on.
    try:
        return stat.S_ISREG(os.stat(f"{start:x}-{end:x}", dir_fd=map_files).st_mode)
    except OSError:
        return False
