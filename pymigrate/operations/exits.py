"""Which nodes' pages are to leave memory: routes that lead to no node."""

from __future__ import annotations

from pymigrate._checks import check_no_map
from pymigrate.nodemask import NodeMask
from pymigrate.operations.routes import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes

__all__ = ["Exits"]


class Exits(Routes):
    """The nodes that pages leave for swap, or for the files that they are of.

    Args:
        old: Nodes that pages have to leave, unless they are in ``new`` too.
        new: Nodes on which pages may stay. It may be empty.

    Raises:
        InvalidNodes: One of them is no set of nodes.
        InvalidType: One of them is a map, or holds what is no number.
    """

    def __init__(self, old: Nodes, new: Nodes) -> None:
        check_no_map("old", old)
        check_no_map("new", new)
        stay = NodeMask(new)
        leave = NodeMask(old)
        super().__init__({}, leave, stay, leave - stay)

    def __str__(self) -> str:
        return f"out of {self.sources}" if self.sources else "nothing has to leave"
