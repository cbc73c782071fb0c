"""Ctrl-C in the middle of a collective call: it is kept until nobody waits for this process."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from pymigrate.jobs.job_operation import JobOperation

__all__ = ["Held", "interrupts_held"]


class Held:
    """What is to be ended by an interrupt that comes before, or while, it runs."""

    def __init__(self) -> None:
        self.interrupted = False
        self._operation: JobOperation | None = None

    def begun(self, operation: JobOperation) -> None:
        """Takes the operation before it runs."""
        self._operation = operation
        if self.interrupted:
            operation.cancel()

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signal: cancels the operation, and raises nothing."""
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
