"""The bare call, where it moves nothing: what Python adds to it."""

from __future__ import annotations

from collections.abc import Iterator

import pairs
from compiled import Peers
from row import TIME, Row

from pymigrate import NodeMask, migrate
from pymigrate._native import lib

# Each call waits for the other processors, so the next one may take twice as long: only neighbours
# can be compared, and only many of them tell.
_PAIRS = 3000
_TARGET = 1.10


def rows(_: Peers) -> Iterator[Row]:
    """A call on the own process, from a node to the same node."""
    mask = NodeMask("0")
    bitmap = mask.to_bitmap()

    def raw() -> None:
        lib.pm_migrate(0, bitmap, len(bitmap), bitmap, len(bitmap))

    for nodes, how in ((mask, "nodes made beforehand"), ("0", "nodes given as text")):

        def ours(nodes: NodeMask | str = nodes) -> None:
            migrate(0, nodes, nodes)

        ratios = pairs.times(pairs.clocked(ours), pairs.clocked(raw), _PAIRS)
        name = f"migrate() that moves nothing, {how}"
        yield Row(name, "the call through cffi", TIME, ratios, _TARGET)
