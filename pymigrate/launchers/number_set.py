"""Sets of numbers as launchers write them: ``0,2-4``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["numbers"]


def numbers(text: str) -> Iterator[int]:
    """Those in ``0,2-4``, in the order in which they stand there."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
