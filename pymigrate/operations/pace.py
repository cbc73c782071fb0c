"""How fast an operation may go: the size of its steps, its rate, pause and cancel."""

from __future__ import annotations

import threading
import time

from pymigrate.units import PAGE_SIZE

__all__ = ["Pace"]

# A step of 64 MiB of small pages is some tens of milliseconds: short enough to be cancelled, and
# long enough that the price of a call (all CPUs drain their LRU caches) does not show.
_STEP_BYTES = 64 << 20

# With a rate, steps are so small that there are some in each second.
_STEPS_PER_SECOND = 10

# The shortest time that is believed.
_TICK = 1e-9

# What is done in the first step when the speed is not known yet.
_FIRST_PAGES = 16

# How soon whoever waits notices what was said in another thread, or in a signal handler. That is
# left in plain attributes: an Event has a lock, and a handler that interrupts its own thread while
# that holds it waits for ever.
_NOTICE_SECONDS = 0.01


class Pace:
    """Shared by the workers of an operation, and by whoever controls it from another thread.

    Args:
        rate: Bytes that may move in a second; None for no bound.
        max_stall: Seconds for which a step may hold up the process; None for no bound.
        overhead: Seconds of each step that hold nobody up.
    """

    def __init__(self, rate: float | None, max_stall: float | None, overhead: float = 0.0) -> None:
        self._rate = rate
        self._max_stall = max_stall
        self._limit = _FIRST_PAGES if max_stall else _STEP_BYTES // PAGE_SIZE
        self._overhead = overhead
        self._cancelled = False
        self._paused = False
        self._lock = threading.Lock()
        self._next_start = time.monotonic()

    @property
    def bounded(self) -> bool:
        """Whether there is a rate or a longest stall to keep to."""
        return bool(self._rate or self._max_stall)

    @property
    def limit(self) -> int:
        """Base pages that the next step may take on."""
        limit = self._limit
        if self._rate:
            limit = int(min(limit, self._rate / _STEPS_PER_SECOND / PAGE_SIZE))
        return max(1, limit)

    def account(self, looked_at: int, moved: int, seconds: float) -> None:
        """Learns from a step: the pages that it went over, those that moved, and its time."""
        with self._lock:
            if self._max_stall and looked_at:
                holding = max(seconds - self._overhead, seconds / 10, _TICK)
                fitting = looked_at * self._max_stall / holding
                # Cut at once when it was too long, and grown carefully.
                self._limit = int(max(1, min(fitting, 2 * self._limit, _STEP_BYTES // PAGE_SIZE)))
            if self._rate:
                now = time.monotonic()
                due = moved * PAGE_SIZE / self._rate
                self._next_start = max(self._next_start, now - seconds) + due

    def wait(self) -> bool:
        """Waits until the next step may start. Returns False if the operation is cancelled."""
        while not self._cancelled:
            delay = self._next_start - time.monotonic() if self._rate else 0
            if self._paused:
                delay = _NOTICE_SECONDS
            if delay <= 0:
                break
            time.sleep(min(delay, _NOTICE_SECONDS))
        return not self._cancelled

    def sleep(self, seconds: float) -> bool:
        """Waits that long, or less if the operation is cancelled; then returns False."""
        end = time.monotonic() + seconds
        while not self._cancelled and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NOTICE_SECONDS))
        return not self._cancelled

    def pause(self) -> None:
        """No further step starts until ``resume()``."""
        self._paused = True

    def resume(self) -> None:
        """Goes on after ``pause()``."""
        self._paused = False

    def cancel(self) -> None:
        """No further step starts at all."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._cancelled
