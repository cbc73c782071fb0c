"""The managed migration with one worker: what walking, watching and accounting cost."""

from __future__ import annotations

import time
from collections.abc import Iterator

import loop
import pairs
from compiled import Peers
from row import SPEED, Row
from target import HUGE, MIB, SMALL, Target, target

from pymigrate import Migration

_SIZES = {SMALL: 256 * MIB, HUGE: 1024 * MIB}  # which take about the same time
_NAMES = {SMALL: "256 MiB of 4 KiB pages", HUGE: "1 GiB of THP"}
_IN_WALL_TIME = {SMALL: 0.80, HUGE: 0.98}
_IN_COUNTED_TIME = {SMALL: 0.90, HUGE: 0.98}


def rows(peers: Peers) -> Iterator[Row]:
    """In wall time."""
    return _rows(peers, _IN_WALL_TIME, 6)


def counted_rows(peers: Peers) -> Iterator[Row]:
    """In a machine that counts its time in instructions: few runs tell."""
    return _rows(peers, _IN_COUNTED_TIME, 2)


def _rows(peers: Peers, targets: dict[str, float], times: int) -> Iterator[Row]:
    for pages in (SMALL, HUGE):
        with target(peers.folder, _SIZES[pages], pages) as held:
            name = f"Migration, watched, {_NAMES[pages]}"

            def ours(held: Target = held) -> float:
                return _managed(held, 0, 1) + _managed(held, 1, 0)

            def single_call(held: Target = held) -> None:
                peers.migrate(held.pid, 0, 1)
                peers.migrate(held.pid, 1, 0)

            def in_batches(held: Target = held) -> None:
                loop.there_and_back(peers, held)

            ratios = pairs.speeds(ours, pairs.clocked(single_call), times)
            yield Row(name, "migrate_pages from C", SPEED, ratios, targets[pages])
            ratios = pairs.speeds(ours, pairs.clocked(in_batches), times)
            yield Row(name, "C loop, same batches", SPEED, ratios, 0.98)


def _managed(held: Target, old: int, new: int) -> float:
    start = time.perf_counter()
    migration = Migration(held.pid, old, new)
    for _ in migration:
        pass
    seconds = time.perf_counter() - start
    assert migration.report.complete, migration.report
    assert migration.report.methods == ("move_pages",)
    return seconds
