"""Ctrl-C and SIGTERM: they end a command at once, or an operation after the step under way."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress

from pymigrate.cli.status import INTERRUPTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

__all__ = ["Interrupt", "end_when_stopped", "ignore_stops", "on_interrupt"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_when_stopped() -> None:
    """Lets SIGINT and SIGTERM end the process at once, with one line.

    Nothing is raised: what is being imported would swallow a KeyboardInterrupt here and there, or
    make another exception of it.
    """

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, b"pymigrate: stopped\n")
        os._exit(INTERRUPTED)

    _handle(end)


def ignore_stops() -> None:
    """Lets SIGINT and SIGTERM change nothing any more: all is done, and the process ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


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


@contextmanager
def on_interrupt(cancel: Callable[[], object]) -> Iterator[Interrupt]:
    """Lets SIGINT and SIGTERM call ``cancel``; further ones change nothing: it is stopping already.

    Python runs the handler between two calls into the kernel, so a step is never torn.
    """
    interrupt = Interrupt()

    def handle(number: int, frame: FrameType | None) -> None:
        interrupt.receive()
        cancel()

    before = _handle(handle)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: Callable[[int, FrameType | None], object]) -> dict[signal.Signals, Any]:
    """Sets the handler, and returns what it replaces.

    A signal that is ignored, as SIGINT is in the background of a script, stays so.
    """
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}
