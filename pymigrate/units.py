"""How memory is counted: in base pages, by the kind of the mapping, and in bytes for people."""

from __future__ import annotations

import os

__all__ = ["KINDS", "PAGE_SIZE", "format_bytes"]

PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
"""Bytes of a base page, the unit of every count of pages: a huge page counts as many of them."""

KINDS = ("anonymous", "file", "shared", "hugetlb")
"""What a mapping can be made of, in the order of enum pm_kind in csrc/kind.h."""

_STEP = 1024
_PREFIXES = ("K", "M", "G", "T", "P", "E")


def format_bytes(count: float) -> str:
    """``1.5 GiB``, for people: of an amount, or of what moves in a second. May be negative."""
    amount, unit, digits = float(count), "B", 0
    for prefix in _PREFIXES:
        if round(abs(amount), digits) < _STEP:  # as it would be written
            break
        amount, unit, digits = amount / _STEP, f"{prefix}iB", 1
    return f"{amount:.{digits}f} {unit}"
