"""Threads and forks: there is no state to share, so nothing to go wrong with it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.processes import idle_process, in_child

from pymigrate import InvalidNodes, NodeMask, migrate

HERE = NodeMask.has_memory()
THREADS = 8


def all_at_once(work: list[str]) -> list[str]:
    """Each thread turns every text into nodes and back, starting together with the others."""
    start = threading.Barrier(THREADS)

    def turn(text: str) -> str:
        start.wait()
        for _ in range(200):
            mask = NodeMask(text)
            assert NodeMask.from_words(mask.to_words()) == NodeMask.from_hex(mask.to_hex()) == mask
            with pytest.raises(InvalidNodes):
                NodeMask(text + "-")
        return str(mask)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(turn, work))


def test_masks_in_many_threads() -> None:
    lists = [f"{number}-{number + 900},{5000 + number}" for number in range(THREADS)]
    assert all_at_once(lists) == lists


def test_one_mask_in_many_threads() -> None:
    mask = NodeMask("1-99,1000")
    start = threading.Barrier(THREADS)

    def words(_: int) -> bytes:
        start.wait()
        return mask.to_words()

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(words, range(THREADS))) == {NodeMask("1-99,1000").to_words()}


def test_calls_in_many_threads() -> None:
    with ExitStack() as stack, ThreadPoolExecutor(THREADS) as pool:
        pids = [stack.enter_context(idle_process()) for _ in range(4)] + [0] * 4
        assert list(pool.map(lambda pid: migrate(pid, HERE, HERE), pids * 10)) == [0] * 80


# Python warns of what is the point here.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_while_other_threads_call() -> None:
    calling, enough = threading.Barrier(THREADS + 1), threading.Event()

    def call_on() -> int:
        calling.wait()
        calls = 0
        while not enough.is_set():
            assert migrate(0, HERE, HERE) == 0
            calls += 1
        return calls

    def in_the_child() -> tuple[int, str]:
        return migrate(0, HERE, HERE), str(NodeMask("0-3,9000"))

    with ThreadPoolExecutor(THREADS) as pool:
        callers = [pool.submit(call_on) for _ in range(THREADS)]
        calling.wait()
        try:
            assert [in_child(in_the_child) for _ in range(10)] == [(0, "0-3,9000")] * 10
        finally:
            enough.set()
        assert all(caller.result() >= 0 for caller in callers)
