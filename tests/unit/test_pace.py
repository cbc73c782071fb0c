"""Pace: steps grow and shrink, rates hold, and control works from wherever it comes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TimeIsUp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate.operations.pace import Pace
from pymigrate.units import PAGE_SIZE

LARGEST = (64 << 20) // PAGE_SIZE

positive = st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False)
steps = st.lists(
    st.tuples(st.integers(0, 10**6), st.floats(0, 1e6)).map(lambda s: (s[0], s[0] // 2, s[1]))
)


def test_no_bounds() -> None:
    pace = Pace(None, None)
    assert pace.limit == LARGEST
    assert pace.wait()
    pace.account(LARGEST, LARGEST, 100.0)
    assert pace.limit == LARGEST


@given(st.none() | positive | st.integers(1, 10**300), st.none() | positive, steps)
def test_whatever_happens_a_step_takes_a_page_and_no_more_than_64_mebibytes(
    rate: float | None, max_stall: float | None, seen: list[tuple[int, int, float]]
) -> None:
    pace = Pace(rate, max_stall)
    for step in seen:
        assert 1 <= pace.limit <= LARGEST
        assert type(pace.limit) is int
        pace.account(*step)
    assert 1 <= pace.limit <= LARGEST
    pace.cancel()
    assert not pace.wait()


@given(st.integers(PAGE_SIZE, 10**12))
def test_with_a_rate_a_step_is_a_tenth_of_a_second(rate: int) -> None:
    assert Pace(rate, None).limit == max(1, min(LARGEST, rate // 10 // PAGE_SIZE))


def test_steps_grow_while_they_are_short() -> None:
    pace = Pace(None, 1.0)
    assert pace.limit == 16
    for limit in (32, 64, 128):
        pace.account(pace.limit, pace.limit, 1e-3)
        assert pace.limit == limit


def test_steps_are_cut_at_once_when_they_are_long() -> None:
    pace = Pace(None, 0.5)
    pace.account(1000, 1000, 100.0)  # ten pages a second
    assert pace.limit in (5, 6)  # the price of a call is no page's
    pace.account(5, 5, 1e6)
    assert pace.limit == 1


def test_a_rate_is_kept() -> None:
    pace = Pace(PAGE_SIZE * 100, None)
    started = time.monotonic()
    for _ in range(4):
        assert pace.wait()
        pace.account(10, 10, 0.0)
    assert pace.wait()
    assert time.monotonic() - started >= 0.4


def test_what_did_not_move_costs_nothing() -> None:
    pace = Pace(1e-6, None)
    pace.account(10**6, 0, 1.0)
    assert pace.wait()


@pytest.mark.parametrize("rate", [1e-300, 1e-6, 1])
def test_cancel_ends_the_longest_wait(rate: float) -> None:
    pace = Pace(rate, None)
    pace.account(10, 10, 0.0)
    threading.Timer(0.05, pace.cancel).start()
    assert not pace.wait()
    assert not pace.sleep(1e9)
    assert pace.cancelled


def test_pause_holds_and_resume_lets_go() -> None:
    pace = Pace(None, None)
    pace.pause()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pace.wait)
        with pytest.raises(TimeIsUp):
            waiting.result(timeout=0.1)
        pace.resume()
        assert waiting.result()


def test_cancel_ends_a_pause() -> None:
    pace = Pace(None, None)
    pace.pause()
    threading.Timer(0.05, pace.cancel).start()
    assert not pace.wait()


def test_sleep() -> None:
    started = time.monotonic()
    assert Pace(None, None).sleep(0.05)
    assert time.monotonic() - started >= 0.05


@pytest.fixture
def storm() -> Iterator[list[Pace]]:
    """Signals all the time; their handler pauses and resumes the paces in the list."""
    paces: list[Pace] = []

    def control(*_: object) -> None:
        for pace in paces:
            pace.pause()
            pace.resume()

    before = signal.signal(signal.SIGALRM, control)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    yield paces
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_control_in_a_signal_handler_never_deadlocks(storm: list[Pace]) -> None:
    pace = Pace(PAGE_SIZE * 1e9, None)
    storm.append(pace)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert pace.wait()
        pace.account(1, 1, 0.0)
        assert pace.limit
