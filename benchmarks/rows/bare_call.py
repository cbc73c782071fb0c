"""The bare call, where it moves nothing: what Python adds to it."""

from __future__ import annotations

from collections.abc import Iterator

import pairs
from compiled import Peers
from row import TIME, Row

from pymigrate import NodeMask, migrate

_NAMES = {"migrate": migrate, "mask": NodeMask("0")}

_CALLS = 20
_PAIRS = 400
_TARGET = 1.10


def rows(peers: Peers) -> Iterator[Row]:
    """A call on the own process, from a node to the same node."""

    def call() -> None:
        peers.migrate(0, 0, 0, _CALLS)

    for nodes, how in (("mask", "nodes made beforehand"), ("'0'", "nodes given as text")):
        ours = pairs.repeated(f"migrate(0, {nodes}, {nodes})", _CALLS, _NAMES)
        ratios = pairs.times(ours, pairs.clocked(call), _PAIRS)
        yield Row(f"migrate() that moves nothing, {how}", "C loop", TIME, ratios, _TARGET)
