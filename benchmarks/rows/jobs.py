"""Whole jobs of small processes: the price of each must not depend on how many there are."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from compiled import Peers
from row import TIME, Row
from target import crowd

from pymigrate import Job

_RUNS = {10: 3, 100: 1, 1000: 1}  # by how many processes
_BYTES = 64 << 10  # of memory that each asks for
_MOST = 1.25


def rows(peers: Peers) -> Iterator[Row]:
    """Moves jobs of so many processes to and fro, and shares the time out among them."""
    prices: dict[int, list[float]] = {}
    with ExitStack() as stack:
        pids: list[int] = []
        for count, runs in _RUNS.items():
            pids += stack.enter_context(crowd(peers.folder, count - len(pids), _BYTES))
            prices[count] = [_price(pids) for _ in range(runs)]
            in_c = _price_in_c(peers, pids)
            name = f"Job.migration(), {count} processes"
            remark = f"{min(prices[count]) * 1000:.1f} ms for each process"
            ratios = [ours / in_c for ours in prices[count]]
            yield Row(name, "migrate_pages from C for each", TIME, ratios, None, remark)
    few, *many = _RUNS
    least = statistics.median(prices[few])
    for count in many:
        ratios = [price / least for price in prices[count]]
        yield Row(f"Job.migration(), one of {count}", f"one of {few}", TIME, ratios, _MOST)


def _price(pids: list[int]) -> float:
    """Seconds for each process."""
    start = time.perf_counter()
    for old, new in ((0, 1), (1, 0)):
        report = Job.of(pids).migration(old, new, workers=1).run()
        assert len(report.reports) == len(pids), report
        assert not report.total.left_behind, report
    return (time.perf_counter() - start) / len(pids) / 2


def _price_in_c(peers: Peers, pids: list[int]) -> float:
    start = time.perf_counter()
    for old, new in ((0, 1), (1, 0)):
        for pid in pids:
            peers.migrate(pid, old, new)
    return (time.perf_counter() - start) / len(pids) / 2
