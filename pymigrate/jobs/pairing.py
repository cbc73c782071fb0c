"""Where the pages outside of some nodes go: to the natural partner inside, else to the nearest."""

from __future__ import annotations

from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["inward", "reachable"]

_FAR = 255  # what the ACPI SLIT says of a node that cannot be reached


def inward(
    outside: NodeMask,
    inside: NodeMask,
    distances: Mapping[int, Mapping[int, int]],
    partners: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """A target inside for each node outside. Pure.

    Args:
        outside: Nodes whose pages have to leave; those that are inside too stay as they are.
        inside: Nodes that they may go to.
        distances: By node and node (ACPI SLIT); what is not known counts as far.
        partners: Targets that are wanted, such as ``plan()`` of the old and new nodes. Those that
            are not inside count for nothing.

    Returns:
        Target by source. Of several nodes that are equally near, each takes its share: the one
        that the kernel would pair is taken (``plan()``).

    Raises:
        InvalidNodes: ``inside`` is empty.
    """
    outside = outside - inside
    by_rank = dict(plan(outside, inside))
    wanted = {s: t for s, t in (partners or {}).items() if s in outside and t in inside}
    return {s: wanted.get(s, _nearest(s, inside, distances, by_rank[s])) for s in outside}


def reachable(
    wanted: NodeMask, allowed: NodeMask, distances: Mapping[int, Mapping[int, int]]
) -> NodeMask:
    """The nodes of those that are allowed which are wanted, or else the nearest to these. Pure."""
    if wanted & allowed or not allowed:
        return wanted & allowed
    return NodeMask({_nearest(node, allowed, distances, allowed[0]) for node in wanted})


def _nearest(
    node: int, among: NodeMask, distances: Mapping[int, Mapping[int, int]], preferred: int
) -> int:
    known = distances.get(node, {})
    least = min(known.get(other, _FAR) for other in among)
    nearest = [other for other in among if known.get(other, _FAR) == least]
    return preferred if preferred in nearest else nearest[preferred % len(nearest)]
