"""plan() says what the kernel does: every pair of node sets of the machine, on real pages."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from support import numa, requires
from support.credentials import CAP_SYS_PTRACE, keep_capabilities
from support.memory import Target, target
from support.processes import in_child

from pymigrate import NodeMask, migrate, plan

pytestmark = [pytest.mark.numa, requires.root]

NODES = range(4)
LAYOUT = [node for node in NODES for _ in range(8)]
SETS = [NodeMask(nodes) for size in NODES for nodes in combinations(NODES, size + 1)]
PAIRS = list(product(SETS, SETS))


def test_every_pair_of_node_sets() -> None:
    def outcomes() -> list[tuple[NodeMask, NodeMask, int, list[int]]]:
        # So the kernel leaves alone what the process shares with this one, which takes long.
        keep_capabilities(CAP_SYS_PTRACE)
        return [(*pair, *outcome(process, *pair)) for pair in PAIRS]

    with target(LAYOUT) as process:
        assert in_child(outcomes) == [(*pair, 0, planned(*pair)) for pair in PAIRS]
        assert process.intact()


def outcome(process: Target, old: NodeMask, new: NodeMask) -> tuple[int, list[int]]:
    """What the kernel makes of a call, from the same layout each time."""
    numa.move_pages(process.pid, process.addresses, LAYOUT)
    assert process.nodes() == LAYOUT
    return migrate(process.pid, old, new), process.nodes()


def planned(old: NodeMask, new: NodeMask) -> list[int]:
    """The layout after the moves of plan(), one after the other."""
    layout = LAYOUT
    for source, goal in plan(old, new):
        layout = [goal if node == source else node for node in layout]
    return layout
