"""The tables of ``pymigrate nodes``."""

from __future__ import annotations

from pymigrate.cli.tables import bar, new_table, print_out
from pymigrate.nodemask import NodeMask
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.kernel.nodes import Node, Topology

__all__ = ["print_topology"]

_NOTHING = "-"


def print_topology(found: Topology) -> None:
    """The nodes, their distances, and whether the kernel moves pages by itself."""
    print_out(_nodes(found), _distances(found))
    if found.balancing:
        print_out("NUMA balancing is on: the kernel moves pages by itself")


def _nodes(found: Topology) -> object:
    left = ("CPUs", "class", "used")
    columns = ("node", "CPUs", "class", "memory", "used", "free", "huge pages free")
    table = new_table("nodes", *columns, left=left)
    for node in found:
        table.add_row(
            str(node.number),
            str(NodeMask(node.cpus)) or _NOTHING,  # lists of CPUs are written like those of nodes
            node.memory,
            format_bytes(node.memory_total),
            bar(node.memory_total - node.memory_free, node.memory_total),
            format_bytes(node.memory_free),
            _pools(node),
        )
    return table


def _pools(node: Node) -> str:
    pools = [
        f"{pool.free}/{pool.total} x {format_bytes(size)}"
        for size, pool in node.hugetlb.items()
        if pool.total
    ]
    return ", ".join(pools) or _NOTHING


def _distances(found: Topology) -> object:
    table = new_table("distances", "from", *(f"to {node.number}" for node in found))
    for node in found:
        table.add_row(
            str(node.number), *(str(node.distances.get(n, _NOTHING)) for n in found.nodes)
        )
    return table
