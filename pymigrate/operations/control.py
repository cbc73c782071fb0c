"""How an operation is controlled from other threads and from signal handlers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.operations.pace import Pace

__all__ = ["Controlled"]


class Controlled:
    """What can be cancelled and paused; that is answered after the step under way.

    Args:
        pace: Which all its workers keep.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def cancel(self) -> None:
        """No further step starts; what is done stays done, and the report says how much."""
        self._pace.cancel()

    def pause(self) -> None:
        """Holds until ``resume()``."""
        self._pace.pause()

    def resume(self) -> None:
        """Goes on after ``pause()``."""
        self._pace.resume()

    def join(self, pace: Pace) -> None:
        """Makes it a part of a whole, whose rate, pauses and cancel it shares. Before it runs."""
        self._pace = pace
