"""Sizes, times and counts as people type them."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError

from pymigrate._checks import SECONDS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SIZES", "TIMES", "duration", "rows", "size", "workers"]

SIZES = "K, M, G, T and KiB, MiB, GiB, TiB are powers of 1024, KB, MB, GB, TB of 1000"
"""Which units a size may have, for the help."""

TIMES = "us, ms, s, min; seconds without a unit"
"""Which units a time may have, for the help."""

_BYTES = {
    "": 1,
    "b": 1,
    **{prefix + unit: 1024**n for n, prefix in enumerate("kmgt", 1) for unit in ("", "ib")},
    **{f"{prefix}b": 1000**n for n, prefix in enumerate("kmgt", 1)},
}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1, "s": 1, "min": 60}

_WORKERS_MAX = 256
_ROWS_MAX = 10**6
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_ECHOED = 40


def size(text: str) -> float:
    """Bytes: ``500M`` and ``500MiB`` (binary), ``500MB`` (decimal), in either case."""
    return _quantity(text, text.lower(), _BYTES, "no size above 0; write 500M, 2GiB or 500MB")


def duration(text: str) -> float:
    """Seconds: ``500us``, ``5ms``, ``0.5s``, ``2min``."""
    seconds = _quantity(text, text, _SECONDS, "no time above 0; write 500us, 5ms, 0.5s or 2min")
    if seconds > SECONDS_MAX:
        fault = f"{text[:_ECHOED]!r} is no time that anybody waits; give a year at the most"
        raise ArgumentTypeError(fault)
    return seconds


def workers(text: str) -> int:
    """How many threads."""
    return _count(text, "workers", _WORKERS_MAX)


def rows(text: str) -> int:
    """How many rows of a report."""
    return _count(text, "rows", _ROWS_MAX)


def _count(text: str, what: str, highest: int) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(highest))
    if digits and 0 < int(text) <= highest:
        return int(text)
    raise ArgumentTypeError(
        f"{text[:_ECHOED]!r} is no number of {what}; give one from 1 to {highest}"
    )


def _quantity(typed: str, text: str, units: Mapping[str, float], fault: str) -> float:
    number = _NUMBER.match(text)
    unit = text[number.end() :].strip() if number else ""
    value = float(number[0]) * units[unit] if number and unit in units else 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{typed[:_ECHOED]!r} is {fault}")
    return value
