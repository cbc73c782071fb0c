"""Which node's pages go where: the pairing that the kernel makes of two node sets."""

from __future__ import annotations

from pymigrate._checks import check_no_map, check_targets
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate.nodemask import Nodes

__all__ = ["plan"]


def plan(old: Nodes, new: Nodes) -> list[tuple[int, int]]:
    """The moves that migrate_pages(2) makes for these nodes, in its order.

    A pure function; it is what ``do_migrate_pages()`` in the kernel's mm/mempolicy.c does. Nodes
    are paired by rank, so that the layout relative to the node set is kept; where ``new`` has fewer
    nodes it is gone through again. A node that nothing else has to move into comes first, so that
    no page is moved twice. Where the sets have the same size a shared node moves like any other
    (2-4 -> 3-5 shifts every page up by one); where they differ, a node that is in both sets stays.

    Args:
        old: Nodes to move pages from.
        new: Nodes to move them to, of those that the caller's cpuset allows: the kernel leaves out
            the others.

    Returns:
        Pairs of (source, target), each source once. Empty if nothing has to move.

    Raises:
        InvalidNodes: ``new`` is empty, or one of them is no set of nodes.
        InvalidType: One of them is a map, or holds what is no number.
    """
    check_no_map("old", old)
    check_no_map("new", new)
    sources, targets = NodeMask(old), NodeMask(new)
    check_targets(targets)
    ranked = list(targets)
    goes_to = {node: ranked[rank % len(ranked)] for rank, node in enumerate(sources)}
    shift = len(sources) == len(targets)
    waiting = [s for s in sources if goes_to[s] != s and (shift or s not in targets)]
    return [(source, goes_to[source]) for source in _in_order(waiting, goes_to, set(sources))]


def _in_order(waiting: list[int], goes_to: dict[int, int], occupied: set[int]) -> Iterator[int]:
    """The lowest source whose target is free; where there is none, a cycle, the highest."""
    from heapq import heappop, heappush  # not for those who only import this package

    ready = [source for source in waiting if goes_to[source] not in occupied]
    blocked: dict[int, list[int]] = {}
    for source in waiting:
        if goes_to[source] in occupied:
            blocked.setdefault(goes_to[source], []).append(source)
    done: set[int] = set()
    while waiting:
        if waiting[-1] in done:
            waiting.pop()
            continue
        source = heappop(ready) if ready else waiting[-1]
        done.add(source)
        yield source
        for freed in blocked.get(source, ()):
            if freed not in done:
                heappush(ready, freed)
