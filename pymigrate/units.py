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


def format_bytes(count: int) -> str:
    """``1.5 GiB``: three digits or so, for people; negative where a difference is."""
    amount, unit = float(count), "B"
    for prefix in _PREFIXES:
        if abs(amount) < _STEP:
            break
        amount, unit = amount / _STEP, f"{prefix}iB"
    return f"{count} B" if unit == "B" else f"{amount:.{1 if abs(amount) < 100 else 0}f} {unit}"
