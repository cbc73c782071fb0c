"""Measures two ways to do the same work, in pairs, one right after the other."""

from __future__ import annotations

import time
import timeit
from collections.abc import Sequence
from typing import Any, Callable

Run = Callable[[], float]
"""Does the work once, and returns the seconds that it took."""


def clocked(work: Callable[[], object]) -> Run:
    """A run that takes the whole time of a function."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


def repeated(statement: str, times: int, names: dict[str, Any]) -> Run:
    """A run of a statement that is too short to be measured once."""
    timer = timeit.Timer(statement, globals=names)
    return lambda: timer.timeit(times)


def times(ours: Run, peer: Run, pairs: int) -> Sequence[float]:
    """Ratios of our time to the peer's.

    Each ratio is of two neighbours in time, so what else the machine does falls on both; which of
    the two goes first changes from pair to pair. One pair beforehand does not count.
    """
    ratios = []
    for number in range(pairs + 1):
        if number % 2:
            a = ours()
            b = peer()
        else:
            b = peer()
            a = ours()
        ratios.append(a / b)
    return ratios[1:]


def speeds(ours: Run, peer: Run, pairs: int) -> Sequence[float]:
    """Ratios of our speed to the peer's."""
    return times(peer, ours, pairs)
