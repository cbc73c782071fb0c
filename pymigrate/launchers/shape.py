"""What node numbers mean on a host, in one line that is equal where they mean the same."""

from __future__ import annotations

import hashlib

from pymigrate.kernel.nodes import topology
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.kernel.nodes import Node, Topology

__all__ = ["fingerprint"]


def fingerprint(nodes: Topology | None = None) -> str:
    """The nodes in words, and a number that stands for their CPUs, kinds of memory and distances.

    How much memory a node has is no part of it: that differs by some pages between hosts that are
    bought together.

    Args:
        nodes: Of another machine; this one's as they are now, if None.

    Raises:
        Unsupported: The kernel was built without NUMA.
    """
    nodes = topology() if nodes is None else nodes
    parts = [(n.number, sorted(n.cpus), n.memory, sorted(n.distances.items())) for n in nodes]
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return f"nodes {NodeMask(n.number for n in nodes)}, {_cpus(list(nodes))} #{digest}"


def _cpus(nodes: list[Node]) -> str:
    counts = sorted({len(node.cpus) for node in nodes})
    return f"{'/'.join(map(str, counts))} CPUs each"
