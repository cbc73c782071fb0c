"""OLD and NEW on hosts that are not alike: a node list, or a rule that each host understands."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate.errors import InvalidArgument, InvalidNodes, InvalidType, quote
from pymigrate.jobs.places import Places
from pymigrate.kernel.devices import device_node
from pymigrate.kernel.nodes import topology
from pymigrate.launchers.gpus import GpuPlaces
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Moves = Callable[[int], dict[int, int]]

__all__ = ["WORDS", "Rule", "moves"]

_BY = {"home": "affinity", "local": "ran", "cpuset": "cpuset"}
_GPU = "gpu"
_DEVICE = "device:"

WORDS = (*_BY, _GPU)
"""Rules in one word."""

_NAMES = f"{', '.join(WORDS)} or {_DEVICE}NAME"


@dataclass(frozen=True)
class Rule:
    """Nodes, in words that are understood on each host for itself, and for each process.

    Attributes:
        text: A node list; or ``"home"``: the nodes of the CPUs that the process may use;
            ``"local"``: of those that its threads last ran on; ``"cpuset"``: those that it may have
            memory on; ``"gpu"``: those of the GPUs that the process has open;
            ``"device:ib0"``: the node of a network interface or a PCI device.

    Raises:
        InvalidNodes: It is neither: told here, and not by each host.
        InvalidType: It is no text.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidType(f"rule {quote(self.text)}: give a node list, or {_NAMES}, as text")
        if self.text == _DEVICE:
            raise InvalidArgument(f"{quote(self.text)} names no device; write device:ib0")
        if not self.is_list:
            return
        try:
            NodeMask(self.text)
        except InvalidNodes as error:
            if not self.text[:1].isalpha():
                raise
            fault = f"{quote(self.text)} is no node list such as 0-3, and no rule; write {_NAMES}"
            raise InvalidNodes(fault, self.text, error.position) from None

    @property
    def is_list(self) -> bool:
        """Whether it is a node list."""
        return self.text not in WORDS and not self.text.startswith(_DEVICE)

    def nodes(self) -> NodeMask:
        """The nodes of a list on this host: ``all``, ``!`` and ``+`` mean its own.

        Raises:
            InvalidArgument: It is no node list here.
        """
        return NodeMask(self.text)

    def places(self) -> Places | GpuPlaces:
        """The places that a rule means on this host.

        Raises:
            UnknownNode: The device is on no known node.
        """
        if self.text.startswith(_DEVICE):
            node = device_node(self.text[len(_DEVICE) :])
            return Places(topology(), nodes=NodeMask(node))
        return GpuPlaces() if self.text == _GPU else Places(topology(), _BY[self.text])


def moves(old: Rule | None, new: Rule) -> Moves:
    """What tells the map of each process of this host, where OLD or NEW is a rule.

    Memory goes to the nearest node of a rule's, and from a rule's nodes to those of a list as the
    kernel would pair them.

    Args:
        old: From where; None: from wherever the rule says that it ought not to be.
        new: Where to.

    Raises:
        InvalidArgument: Nothing is a rule.
        UnknownNode: A device is on no known node.
    """
    if not new.is_list:
        places = new.places()
        if old is None:
            return places.moves
        within = _nodes_of(old)
        return lambda pid: _only(places.moves(pid), within(pid))
    if old is None or old.is_list:
        raise InvalidArgument(f"old {quote(old and old.text)}: there is no rule; give node sets")
    targets, sources = new.nodes(), old.places()
    return lambda pid: dict(plan(sources.of(pid), targets)) or {targets[0]: targets[0]}


def _nodes_of(rule: Rule) -> Callable[[int], NodeMask]:
    if rule.is_list:
        nodes = rule.nodes()
        return lambda pid: nodes
    return rule.places().of


def _only(moves: dict[int, int], sources: NodeMask) -> dict[int, int]:
    """The part of a map with these sources; nothing has to move, if there is none."""
    kept = {source: target for source, target in moves.items() if source in sources}
    return kept or {target: target for target in moves.values()}
