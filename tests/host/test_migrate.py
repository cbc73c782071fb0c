"""migrate() as any kernel with NUMA answers it, one node included."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import seccomp
from support.processes import idle_process, in_child

from pymigrate import NodeMask, migrate
from pymigrate.task import Task

HERE = NodeMask.has_memory()
"""From where memory is to where it is: nothing moves."""


def test_the_caller() -> None:
    assert migrate(0, HERE, HERE) == 0
    assert migrate(os.getpid(), HERE, HERE) == 0
    assert migrate(threading.get_native_id(), HERE, HERE) == 0


def test_another_process() -> None:
    with idle_process() as pid:
        assert migrate(pid, HERE, HERE) == 0


def test_another_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert migrate(pool.submit(threading.get_native_id).result(), HERE, HERE) == 0


def test_nodes_in_every_form() -> None:
    for nodes in (str(HERE), HERE.lowest, list(HERE), frozenset(HERE), iter(HERE), "all", "+0"):
        assert migrate(0, nodes, HERE) == 0


def test_old_may_be_empty_or_absent() -> None:
    last = Task.read(0).max_nodes - 1
    assert migrate(0, (), HERE) == 0
    assert migrate(0, last, HERE) == 0
    assert migrate(0, HERE | {last}, HERE) == 0


@pytest.mark.parametrize("count", [0, 1, 7, 2**31 - 1])
def test_the_count_is_the_kernels(count: int) -> None:
    def answered() -> int:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(seccomp.answer, seccomp.intercept(), count)
            return migrate(0, HERE, HERE)

    assert in_child(answered) == count


def test_other_threads_run_during_the_call() -> None:
    """The call returns only when Python code in another thread has answered it."""
    lines: list[str] = []

    def answer(listener: int) -> None:
        seccomp.answer(listener, 5)
        lines.append("answered")

    def blocked() -> tuple[int, list[str]]:
        listener = seccomp.intercept()
        thread = threading.Thread(target=answer, args=[listener])
        thread.start()
        left = migrate(0, HERE, HERE)
        thread.join()
        return left, lines

    assert in_child(blocked) == (5, ["answered"])
