"""A wait that can be ended from another thread, and from a signal handler."""

from __future__ import annotations

import os
import select
import time

__all__ = ["Bell"]

_LONGEST = 24 * 3600.0  # poll(2) counts milliseconds in an int: that is 24 days


class Bell:
    """Rings once, and from then on nobody waits for it any more.

    A threading.Event has a lock, and a signal handler that interrupts its own thread while that
    holds it waits for ever; a pipe has none, and whoever waits for it sleeps.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._rung = False

    def ring(self) -> None:
        """Ends all waits. May be called often, from anywhere, as long as the bell is there."""
        if not self._rung:
            self._rung = True
            os.write(self._writer, b".")

    def wait(self, seconds: float) -> bool:
        """Waits that long at the most; returns whether it has rung."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        end = time.monotonic() + seconds
        while not poll.poll(min(max(0.0, end - time.monotonic()), _LONGEST) * 1000):
            if time.monotonic() >= end:
                return False
        return True

    def close(self) -> None:
        """Gives the pipe back."""
        for end in (self._reader, self._writer):
            if end >= 0:
                os.close(end)
        self._reader = self._writer = -1

    __del__ = close
