"""The managed migration with two workers, and what a second thread is worth on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import loop
import pairs
from compiled import Peers
from row import SPEED, Row
from target import MIB, Target, target

from pymigrate import Migration

_SIZES = (256 * MIB, 1024 * MIB)
_ROUNDS = 100_000_000
_PAIRS = 8
_SECOND_CORE = 1.5  # of pure computation, from which on two threads are two cores


def rows(peers: Peers) -> Iterator[Row]:
    """Against C threads, and each against itself with one thread."""
    numbers = [_computation(peers, threads) for threads in (1, 2)]
    gain = Row("pure computation, 2 threads", "1 thread", SPEED, _gain(numbers))
    remark = "" if gain.median >= _SECOND_CORE else "not judged: no second core to be seen"
    for size in _SIZES:
        with target(peers.folder, size) as held:
            ours = [_managed(held, workers) for workers in (1, 2)]
            loops = [_loop(peers, held, threads) for threads in (1, 2)]
            ratios = pairs.speeds(ours[1], loops[1], _PAIRS)
            limit = None if remark else 0.95
            work = f"2 workers, {size // MIB} MiB"
            yield Row(
                f"Migration, {work}", "2 C threads, same batches", SPEED, ratios, limit, remark
            )
            yield Row(f"Migration, {work}", "1 worker", SPEED, _gain(ours))
            yield Row(f"C loop, {work}", "1 thread", SPEED, _gain(loops))
    yield gain


def _gain(runs: list[pairs.Run]) -> Sequence[float]:
    one, two = runs
    return pairs.speeds(two, one, _PAIRS)


def _computation(peers: Peers, threads: int) -> pairs.Run:
    return pairs.clocked(lambda: peers.compute(threads, _ROUNDS))


def _managed(held: Target, workers: int) -> pairs.Run:
    def work() -> None:
        for old, new in ((0, 1), (1, 0)):
            report = Migration(held.pid, old, new, workers=workers).run(lambda _: None)
            assert report.complete, report

    return pairs.clocked(work)


def _loop(peers: Peers, held: Target, threads: int) -> pairs.Run:
    return pairs.clocked(lambda: loop.there_and_back(peers, held, threads))
