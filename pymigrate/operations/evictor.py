"""Puts pages out of memory: the Python face of csrc/evictor.h."""

from __future__ import annotations

import os

from pymigrate._native import ffi, lib
from pymigrate.kernel.swap import cgroup_room, limited_cgroups
from pymigrate.operations.action import Action
from pymigrate.operations.advice import refused
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate._shim import ActionStep
    from pymigrate.errors import KernelError
    from pymigrate.kernel.process import Process
    from pymigrate.operations.routes import Routes

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
        super().__init__(process, routes, dict.fromkeys(routes.sources, 0))
        self._evictor = ffi.new("struct pm_evictor *")
        self._introduce(self._evictor.subject)
        # For itself madvise(2) takes no privilege; process_madvise(2) does on many kernels.
        if process.pid == os.getpid():
            self.call = "madvise"
            self._evictor.pidfd = -1
        else:
            self._evictor.pidfd = process.pidfd
        self._evictor.without_swap = without_swap
        self._limited = limited_cgroups(process.pid)

    def _take(self, step: ActionStep) -> int:
        room = cgroup_room(self._limited)
        self._evictor.swap_room = _NO_LIMIT if room is None else room // PAGE_SIZE
        return lib.pm_evict_step(self._evictor, step)

    def _refused(self, number: int) -> KernelError:
        return refused(number, self._pid)
