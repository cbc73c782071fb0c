"""Which rank a process belongs to: its own, or that of the task that started it."""

from __future__ import annotations

import os
from contextlib import suppress

from pymigrate import _files
from pymigrate.errors import NoSuchProcess, NotPermitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["ancestors", "descended", "inherited", "parents"]


def inherited(lines: Mapping[int, Iterable[int]], ranks: Mapping[int, int]) -> dict[int, int]:
    """The rank of each process: its own, or that of the nearest ancestor that has one.

    Engines number the tasks that they start. What a task runs, such as the program of a script,
    works for the same rank.

    Args:
        lines: Of each process: itself, and its ``ancestors()``.
        ranks: By pid.
    """
    nearest = {pid: next((it for it in line if it in ranks), None) for pid, line in lines.items()}
    return {pid: ranks[one] for pid, one in nearest.items() if one is not None}


def descended(known: Mapping[int, T], parents: Mapping[int, int]) -> dict[int, T]:
    """Some processes, and all that come from them, each with what its nearest ancestor has.

    Args:
        known: What these have, by pid.
        parents: Of all processes.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found = dict(known)
    todo = list(known)
    while todo:
        parent = todo.pop()
        born = [pid for pid in children.get(parent, ()) if pid not in found]
        found.update(dict.fromkeys(born, found[parent]))
        todo += born
    return found


def parents() -> dict[int, int]:
    """The parent of each process that is to be seen: one look at all of them.

    Raises:
        KernelError: The caller can open no more files.
    """
    try:
        names = os.listdir("/proc")
    except OSError as error:
        raise _files.unreadable(error) from None
    found = {}
    for pid in map(int, filter(str.isdecimal, names)):
        with suppress(NoSuchProcess, NotPermitted):  # it has ended, or is hidden
            found[pid] = int(_files.read_status_fields(pid, ["PPid"])[0])
    return found


def ancestors(pid: int) -> list[int]:
    """The parents of a process, the nearest first, as far as they are to be seen."""
    line: list[int] = []
    while True:
        try:
            pid = int(_files.read_status(pid)["PPid"])
        except (NoSuchProcess, NotPermitted):
            return line
        if not pid or pid in line:
            return line
        line.append(pid)
