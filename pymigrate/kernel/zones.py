"""Which page frames lie on which node, for whoever may know the frames of pages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pymigrate import _files

__all__ = ["Zone", "parse_zones", "zones"]

_PATH = "/proc/zoneinfo"

# zoneinfo_show_print() in mm/vmstat.c; a zone without memory has no start_pfn.
_ZONE = re.compile(r"^Node (\d+), zone.*?\n +spanned +(\d+)\n.*?(?=^Node|\Z)", re.M | re.S)
_START = re.compile(r"^ +start_pfn: +(\d+)$", re.M)


class Zone(NamedTuple):
    """Page frames from ``start`` up to ``end``, which are on one node, or are no memory."""

    start: int
    end: int
    node: int


@lru_cache(maxsize=1)
def zones() -> tuple[Zone, ...]:
    """The zones of this machine; none where they do not tell the nodes of frames.

    Read once: memory that is plugged in later is in none of them.
    """
    try:
        return parse_zones(_files.read_text(_PATH))
    except OSError:
        return ()


def parse_zones(text: str) -> tuple[Zone, ...]:
    """The zones in ``/proc/zoneinfo``, ascending; none if those of two nodes overlap."""
    found = []
    for match in _ZONE.finditer(text):
        start = _START.search(match[0])
        if start:
            first = int(start[1])
            found.append(Zone(first, first + int(match[2]), int(match[1])))
    found.sort()
    farthest = Zone(0, 0, 0)
    for zone in found:
        if zone.start < farthest.end and zone.node != farthest.node:
            return ()
        farthest = max(farthest, zone, key=_end)
    return tuple(found)


def _end(zone: Zone) -> int:
    return zone.end
