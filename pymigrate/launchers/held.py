"""An interrupt that comes at any moment: before what it is to end, or while others wait for us."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Operation(Protocol):
        """What can be cancelled, from any thread and signal handler."""

        def cancel(self) -> object:
            """Makes it stop."""


__all__ = ["Held", "interrupts_held"]


class Held:
    """What is to be ended by an interrupt that comes before, or while, it runs."""

    def __init__(self) -> None:
        self.interrupted = False
        self._operation: Operation | None = None

    def begun(self, operation: Operation) -> None:
        """Takes the operation before it runs."""
        self._operation = operation
        if self.interrupted:
            operation.cancel()

    def interrupt(self, *_: object) -> None:
        """Cancels the operation, or the one that has not begun yet; takes what a handler is told.

        It raises nothing, and may be called from any thread and signal handler.
        """
        self.interrupted = True
        if self._operation:
            self._operation.cancel()


@contextmanager
def interrupts_held() -> Iterator[Held]:
    """Keeps SIGINT until the end of the block, and then sends it again, to the handler from before.

    Signals go to the main thread: in another one, and where they are ignored, nothing is changed.
    """
    held = Held()
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if main else None
    if before is None or before == signal.SIG_IGN:
        yield held
        return
    signal.signal(signal.SIGINT, held.interrupt)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)
        if held.interrupted:
            signal.raise_signal(signal.SIGINT)
