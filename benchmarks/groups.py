"""The groups of rows, and where each is measured."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable

from compiled import Peers
from row import Row
from rows import (
    bare_call,
    bare_move,
    eviction,
    jobs,
    managed,
    memory,
    residencies,
    single_call,
    start,
    values,
    workers,
)

PLACES = HERE, MACHINE, COUNTED, LARGE = "here", "machine", "counted", "large machine"


@dataclass(frozen=True)
class Group:
    """Rows that are measured together.

    Attributes:
        place: HERE (the kernel that runs this), MACHINE (the emulated machine), COUNTED (the same,
            where time is the number of instructions), LARGE (the same with 18 GiB of memory, which
            are taken from a host only when asked for).
        rows: Measures them, one at a time.
    """

    place: str
    rows: Callable[[Peers], Iterator[Row]]


ALL = {
    "start": Group(HERE, start.rows),
    "values": Group(HERE, values.rows),
    "bare-call": Group(HERE, bare_call.rows),
    "residencies": Group(HERE, residencies.rows),
    "bare-move": Group(MACHINE, bare_move.rows),
    "managed": Group(MACHINE, managed.rows),
    "workers": Group(MACHINE, workers.rows),
    "single-call": Group(MACHINE, single_call.rows),
    "eviction": Group(MACHINE, eviction.rows),
    "jobs": Group(MACHINE, jobs.rows),
    "memory": Group(MACHINE, memory.rows),
    "managed-counted": Group(COUNTED, managed.counted_rows),
    "memory-largest": Group(LARGE, memory.largest_rows),
}
ONLY_IF_ASKED = [name for name, group in ALL.items() if group.place == LARGE]
USUAL = [name for name in ALL if name not in ONLY_IF_ASKED]


def measure(names: Sequence[str], peers: Peers) -> Iterator[Row]:
    """The rows of some groups, each told on standard error as soon as it is there.

    Where a group fails, its last row says so, and the next group goes on.
    """
    for name in names:
        try:
            for row in ALL[name].rows(peers):
                print(f"  {row.name} / {row.peer}: {row.median:.3f}", file=sys.stderr, flush=True)
                yield row
        except Exception as error:
            traceback.print_exc()
            yield Row.failure(name, error)
