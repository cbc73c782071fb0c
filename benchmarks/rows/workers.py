"""The managed migration with two workers, and what a second thread is worth on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import loop
import pairs
from compiled import Peers
from row import SPEED, Row
from target import MIB, Target, target

from pymigrate import Migration

_SIZE = 256 * MIB
_ROUNDS = 100_000_000
_PAIRS = 8
_SECOND_CORE = 1.5  # of pure computation, from which on two threads are two cores


def rows(peers: Peers) -> Iterator[Row]:
    """Against C threads, and each against itself with one thread."""
    with target(peers.folder, _SIZE) as held:
        ours = [_managed(held, workers) for workers in (1, 2)]
        loops = [_loop(peers, held, threads) for threads in (1, 2)]
        numbers = [_computation(peers, threads) for threads in (1, 2)]
        gain = Row("pure computation, 2 threads", "1 thread", SPEED, _gain(numbers))
        remark = "" if gain.median >= _SECOND_CORE else "not judged: no second core to be seen"
        ratios = pairs.speeds(ours[1], loops[1], _PAIRS)
        limit = None if remark else 0.95
        name, peer = "Migration, 2 workers, 256 MiB", "2 C threads, same batches"
        yield Row(name, peer, SPEED, ratios, limit, remark)
        yield Row(name, "Migration, 1 worker", SPEED, _gain(ours))
        yield Row("C loop, 2 threads, 256 MiB", "C loop, 1 thread", SPEED, _gain(loops))
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
