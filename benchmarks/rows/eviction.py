"""The managed eviction, and the one system call that it rests on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pairs
from compiled import Peers
from row import TIME, Row
from target import MIB, NOISE, target

from pymigrate import Eviction

_SIZE = 256 * MIB
_PAIRS = 3
_MOST = 1.1


def rows(peers: Peers) -> Iterator[Row]:
    """Evicts the same memory; before each run it has come back, which is not measured."""
    with target(peers.folder, _SIZE, NOISE) as held:

        def ours() -> float:
            held.touch()
            start = time.perf_counter()
            report = Eviction(held.pid, "0-1", ()).run()
            seconds = time.perf_counter() - start
            assert report.total.moved >= _SIZE // held.page_size, report
            return seconds

        def in_c() -> float:
            held.touch()
            start = time.perf_counter()
            peers.evict(held)
            return time.perf_counter() - start

        ratios = pairs.times(ours, in_c, _PAIRS)
        yield Row("Eviction.run(), 256 MiB", "process_madvise from C", TIME, ratios, _MOST)
