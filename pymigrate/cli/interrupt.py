"""Ctrl-C during an operation: it is stopped, and its partial report still printed."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Interrupt", "on_interrupt"]


class Interrupt:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def receive(self) -> None:
        """It was."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Waits that long, or until it is pressed; returns whether it was."""
        return self._event.wait(seconds)

    @property
    def received(self) -> bool:
        """Whether it was pressed."""
        return self._event.is_set()


@contextmanager
def on_interrupt(cancel: Callable[[], object]) -> Iterator[Interrupt]:
    """Lets SIGINT and SIGTERM call ``cancel``; further ones change nothing: it is stopping already.

    Python runs the handler between two calls into the kernel, so a step is never torn.
    """
    interrupt = Interrupt()

    def handle(number: int, frame: FrameType | None) -> None:
        interrupt.receive()
        cancel()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
