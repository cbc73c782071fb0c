"""The bare call, where it moves memory."""

from __future__ import annotations

from collections.abc import Iterator

import pairs
from compiled import Peers
from row import SPEED, Row
from target import MIB, target

from pymigrate import migrate

_PAIRS = 15


def rows(peers: Peers) -> Iterator[Row]:
    """Another process's memory, from node 0 to node 1 and back."""
    with target(peers.folder, 64 * MIB) as held:

        def ours() -> None:
            assert migrate(held.pid, 0, 1) == migrate(held.pid, 1, 0) == 0

        def peer() -> None:
            peers.migrate(held.pid, 0, 1)
            peers.migrate(held.pid, 1, 0)

        ratios = pairs.speeds(pairs.clocked(ours), pairs.clocked(peer), _PAIRS)
        yield Row("migrate() of 64 MiB", "migrate_pages from C", SPEED, ratios, 0.95)
