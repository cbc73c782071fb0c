"""Moves pages from node to node: the Python face of csrc/mover.h."""

from __future__ import annotations

import time

from pymigrate._native import ffi, lib
from pymigrate.diagnose import diagnose
from pymigrate.errors import KernelError
from pymigrate.migrate import migrate
from pymigrate.nodemask import NodeMask
from pymigrate.operations.action import Action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate._shim import ActionStep
    from pymigrate.kernel.process import Process
    from pymigrate.operations.routes import Routes

__all__ = ["Mover", "call_overhead"]


class Mover(Action):
    """Moves the pages of a process as the routes say.

    Args:
        process: Whose memory.
        routes: Which node's pages go where.
        shared: Move pages that other processes map too (MPOL_MF_MOVE_ALL, CAP_SYS_NICE).

    Raises:
        NoSuchProcess, NotPermitted: As ``Action``.
    """

    call = "move_pages"

    def __init__(self, process: Process, routes: Routes, *, shared: bool) -> None:
        super().__init__(process, routes, routes.moves)
        self._targets = ffi.new("int32_t[]", list(routes.moves.values()))
        self._mover = ffi.new("struct pm_mover *")
        self._introduce(self._mover.subject)
        self._mover.pidfd = process.pidfd
        self._mover.flags = lib.PM_MPOL_MF_MOVE_ALL if shared else lib.PM_MPOL_MF_MOVE
        self._mover.targets = self._targets

    def _take(self, step: ActionStep) -> int:
        return lib.pm_move_step(self._mover, step)

    def _refused(self, number: int) -> KernelError:
        return diagnose(number, self._pid, *self._nodes, self.call)


def call_overhead() -> float:
    """Seconds of a call that moves nothing: it drains the CPUs, but does not hold the target up.

    0 where a sandbox forbids the call by which that is measured.
    """
    shortest = float("inf")
    for _ in range(3):
        started = time.monotonic()
        try:
            migrate(0, (), NodeMask.allowed())
        except KernelError:
            return 0.0
        shortest = min(shortest, time.monotonic() - started)
    return shortest
