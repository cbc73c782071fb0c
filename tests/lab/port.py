"""One stream of bytes out of the machine."""

from __future__ import annotations


class Port:
    """A stream that ends with a mark.

    QEMU reports neither that a port was closed nor that it has been emptied, so the
    machine says so in-band, with a mark that it was given for this run alone.

    Args:
        mark: What ends the stream.

    Attributes:
        ended: Whether the mark has come.
    """

    def __init__(self, mark: bytes) -> None:
        self.ended = False
        self._mark = mark
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes that arrived and return those that can be passed on by now."""
        data = self._held + data
        self.ended = data.endswith(self._mark)
        if self.ended:
            return data[: -len(self._mark)]
        longest = min(len(self._mark) - 1, len(data))
        held = next((n for n in range(longest, 0, -1) if data.endswith(self._mark[:n])), 0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]
