"""Which rank a process belongs to: its own, or that of the task that started it."""

from __future__ import annotations

from pymigrate import _files
from pymigrate.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ancestors", "inherited"]


def inherited(pids: Iterable[int], ranks: Mapping[int, int]) -> dict[int, int]:
    """The rank of each process, from the nearest ancestor that has one.

    Engines number the tasks that they start. What a task runs, such as the program of a script,
    works for the same rank.
    """
    found = {}
    for pid in pids:
        for one in (pid, *ancestors(pid)):
            if one in ranks:
                found[pid] = ranks[one]
                break
    return found


def ancestors(pid: int) -> list[int]:
    """The parents of a process, the nearest first, as far as they are to be seen."""
    line: list[int] = []
    while True:
        try:
            pid = int(_files.read_status(pid)["PPid"])
        except KernelError:
            return line
        if not pid or pid in line:
            return line
        line.append(pid)
