"""An answer in any case, for engines inside of programs: others wait for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.processes import ended, idle_process

from pymigrate.launchers.held import interrupts_held
from pymigrate.launchers.inside import answer
from pymigrate.launchers.wish import Wish


def test_processes_are_rows_with_the_ranks_that_they_have() -> None:
    with idle_process() as one, idle_process() as two:
        report = answer({one: 3, two: None}, Wish("migrate", 0, 0))
    assert report.complete
    assert {(row.pid, row.rank) for row in report.ranks} == {(one, 3), (two, None)}


def test_nobody_left_is_the_outcome_of_the_host() -> None:
    (host,) = answer({ended(): 0}, Wish("migrate", 0, 0)).hosts
    assert (host.outcome, host.error) == ("failed", "NoSuchProcess")


class Faulty(dict[int, int]):
    """What raises when it is looked at."""

    def __iter__(self) -> Iterator[int]:
        raise RuntimeError("odd")


def test_an_error_that_is_none_of_ours_is_told() -> None:
    faulty = Faulty()
    (host,) = answer(faulty, Wish("migrate", 0, 0)).hosts
    assert (host.outcome, host.error, host.finding) == ("failed", "RuntimeError", "odd")


def test_an_interrupt_is_kept_and_then_raised() -> None:
    told = []

    def work() -> None:
        with idle_process() as pid, interrupts_held() as held:
            signal.raise_signal(signal.SIGINT)
            told.append(answer({pid: 0}, Wish("migrate", 0, 0), held.begun))

    # Whoever runs the tests may ignore it, as shells do for jobs in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    (report,) = told
    assert (report.outcome, report.status) == ("cancelled", 130)


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_held() as held:
            signal.raise_signal(signal.SIGINT)
        assert not held.interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_gets_no_interrupts() -> None:
    def enter() -> None:
        with interrupts_held():
            assert signal.getsignal(signal.SIGINT) is before

    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(enter).result()
