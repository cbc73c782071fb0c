"""Ctrl-C, SIGTERM and SIGHUP: they end a command at once, or an operation after its step."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress

from pymigrate.cli.status import INTERRUPTED
from pymigrate.jobs.bell import Bell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

__all__ = ["end_when_stopped", "ignore_stops", "on_interrupt"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_when_stopped() -> None:
    """Lets these signals end the process at once, with one line.

    Nothing is raised: what is being imported would swallow a KeyboardInterrupt here and there, or
    make another exception of it.
    """

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, b"pymigrate: stopped\n")
        os._exit(INTERRUPTED)

    _handle(end)


def ignore_stops() -> None:
    """Lets these signals change nothing any more: all is done, and the process ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def on_interrupt(cancel: Callable[[], object]) -> Iterator[Bell]:
    """Lets these signals call ``cancel``, and ring the bell that it gives.

    Further ones change nothing: it is stopping already. What it has done is printed and flushed in
    the block: after it another signal ends the command at once.

    Python runs the handler between two calls into the kernel, so a step is never torn.
    """
    bell = Bell()

    def handle(number: int, frame: FrameType | None) -> None:
        bell.ring()
        cancel()

    before = _handle(handle)
    try:
        yield bell
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: Callable[[int, FrameType | None], object]) -> dict[signal.Signals, Any]:
    """Sets the handler, and returns what it replaces.

    A signal that is ignored, as SIGINT is in the background of a script and SIGHUP under nohup,
    stays so.
    """
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}
