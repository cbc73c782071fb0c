"""The order in which people count hosts: h2 before h10."""

from __future__ import annotations

import re

__all__ = ["natural"]

_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[object, ...]:
    """What to sort host names by: their digits count as numbers.

    No two names have the same key: where numbers are equal (``h1``, ``h01``) the text decides.
    """
    # Text and digits take turns, starting with text, so that like is compared with like.
    parts = _DIGITS.split(name)
    return tuple(int(part) if odd % 2 else part for odd, part in enumerate(parts)), name
