"""Which node's pages go to which node: two node sets, or an explicit map."""

from __future__ import annotations

from _collections_abc import Mapping
from _operator import index

from pymigrate._checks import check_no_map
from pymigrate.errors import InvalidArgument, InvalidNodes, InvalidType, quote
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes

__all__ = ["Routes"]


class Routes:
    """The moves of one operation: each source has one target.

    Attributes:
        moves: Target by source, without sources that are their own target. The order is that of
            the kernel's pairing, or of the map.
        old: Nodes to move pages from.
        new: Nodes to move them to.
        sources: Nodes whose pages move.
        targets: Nodes that pages move to.
        settled: Nodes that were named and keep their pages: what lies there is there already.
        overlap: Whether a target is also a source: where a page is does not tell then if it moved.
    """

    def __init__(
        self,
        moves: dict[int, int],
        old: NodeMask,
        new: NodeMask,
        sources: NodeMask | None = None,
    ) -> None:
        self.moves = moves
        self.old = old
        self.new = new
        # Made once: each step of an operation asks for them.
        self.sources = NodeMask(moves) if sources is None else sources
        self.targets = NodeMask(moves.values())
        self.settled = (old | new) - self.sources
        self.overlap = bool(self.sources & self.targets)

    @classmethod
    def of(cls, old: Nodes | None, new: Nodes | None, moves: Mapping[int, int] | None) -> Routes:
        """Whichever is given.

        Raises:
            InvalidArgument: Both are given, or neither is.
        """
        if moves is None:
            if old is None or new is None:
                raise InvalidArgument("give old and new, or moves={source: target}")
            return cls.between(old, new)
        if old is not None or new is not None:
            raise InvalidArgument("give either old and new, or moves; not both")
        return cls.of_map(moves)

    @classmethod
    def between(cls, old: Nodes, new: Nodes) -> Routes:
        """The kernel's own pairing of two node sets (``plan()``).

        Raises:
            InvalidNodes: ``new`` is empty, or one of them is no set of nodes.
        """
        check_no_map("old", old)
        check_no_map("new", new)
        sources, targets = NodeMask(old), NodeMask(new)  # once: what is iterated over is gone then
        return cls(dict(plan(sources, targets)), sources, targets)

    @classmethod
    def of_map(cls, moves: Mapping[int, int]) -> Routes:
        """A map from source to target, such as ``{0: 2, 1: 3}``; ``{0: 1, 1: 0}`` swaps two nodes.

        Raises:
            InvalidNodes: It is empty, or names what is no node.
            InvalidType: It is no map of ints to ints; a list of pairs is none, as it can give a
                source two targets.
        """
        if not isinstance(moves, Mapping):
            message = f"moves {quote(moves)}: give a map from source to target, {{0: 2, 1: 3}}"
            raise InvalidType(message)
        if not moves:
            raise InvalidNodes("moves is empty: give a map from source to target, {0: 2}", moves)
        pairs = {_one_node(s, moves): _one_node(t, moves) for s, t in moves.items()}
        old, new = NodeMask(pairs.keys()), NodeMask(pairs.values())
        return cls({s: t for s, t in pairs.items() if s != t}, old, new)

    def calls(self) -> list[tuple[NodeMask, NodeMask]]:
        """The arguments of migrate_pages(2) for these moves: of one call if the kernel pairs so."""
        if dict(plan(self.old, self.new)) == self.moves:
            return [(self.old, self.new)]
        return [(NodeMask(source), NodeMask(target)) for source, target in self.moves.items()]

    def __str__(self) -> str:
        return ", ".join(f"{s} -> {t}" for s, t in self.moves.items()) or "nothing moves"


def _one_node(value: object, moves: Mapping[int, int]) -> int:
    """A node of a map: one that is wrong is named with the map, as there are so many numbers."""
    if not isinstance(value, bool):
        try:
            node = index(value)  # type: ignore[arg-type]  # what index() refuses is refused here
        except TypeError:
            pass
        else:
            return NodeMask(node)[0]
    kind = type(value).__name__
    message = f"moves {quote(moves)}: {quote(value)} is no node; give an int, not a {kind}"
    raise InvalidType(message)
