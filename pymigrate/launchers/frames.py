"""Messages of helpers on their hosts, as lines that survive being mixed with those of others.

srun passes lines on in pieces of 1024 bytes, and those of several hosts take turns. So a message
is cut into lines shorter than that, each with the name of its host.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["LONGEST_LINE", "Unframer", "frames"]

LONGEST_LINE = 1000
"""Bytes of a line, its end included."""

_MARK = "pymigrate-host"
_MORE, _LAST = "+", "."


def frames(host: str, message: dict[str, Any]) -> Iterator[str]:
    """A message as lines without their ends, all of them ASCII."""
    text = json.dumps(message, separators=(",", ":"))
    head = f"{_MARK} {host}"
    room = LONGEST_LINE - len(head) - 4
    for start in range(0, len(text), room):
        last = start + room >= len(text)
        yield f"{head} {_LAST if last else _MORE} {text[start : start + room]}"


class Unframer:
    """Puts the messages together again. It holds what hosts have begun to say, and no more."""

    def __init__(self) -> None:
        self._begun: dict[str, list[str]] = {}

    def feed(self, line: str, sender: str = "") -> tuple[str, dict[str, Any]] | None:
        """Takes a line; returns how a host calls itself, and its message, when that is whole.

        What is no line of a helper's, such as the greeting of a login shell, is passed over.

        Args:
            line: With or without its end.
            sender: What tells hosts apart that have the same name for themselves.
        """
        parts = line.rstrip("\r\n").split(" ", 3)
        if len(parts) < 4 or parts[0] != _MARK or parts[2] not in (_MORE, _LAST):
            return None
        _, host, more, piece = parts
        key = sender or host
        pieces = self._begun.setdefault(key, [])
        pieces.append(piece)
        if more == _MORE:
            return None
        del self._begun[key]
        try:
            message = json.loads("".join(pieces))
        except ValueError:
            return None
        return (host, message) if isinstance(message, dict) else None
