"""The C loop that a managed migration is compared with."""

from __future__ import annotations

from compiled import Peers
from target import MIB, Target

_BATCH = 64 * MIB  # the default of a managed migration


def there_and_back(peers: Peers, held: Target, threads: int = 1) -> None:
    """Moves a target's memory to node 1 and back, and looks before and after as a report does."""
    for old, new in ((0, 1), (1, 0)):
        peers.read(f"/proc/{held.pid}/numa_maps")
        peers.move(held, old=old, new=new, batch_size=_BATCH, threads=threads)
        peers.read(f"/proc/{held.pid}/numa_maps")
