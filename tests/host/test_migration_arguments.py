"""A migration takes any wish that makes sense: it measures first how long a call takes."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from pymigrate import Migration, NodeMask, NodesRefused, check
from pymigrate._checks import SECONDS_MAX
from pymigrate.task import Task

HERE = NodeMask.has_memory()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", value) for value in (1, 10**300, 1.7e308)]
    + [("max_stall", value) for value in (1e-300, 1e-9, 1, SECONDS_MAX)],
)
def test_absurd_but_possible(name: str, value: float) -> None:
    wishes: dict[str, Any] = {name: value}
    Migration(0, moves={0: 0}, **wishes)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("rate", [None, 1e9])
def test_a_node_that_the_kernel_is_not_built_for(side: str, rate: float | None) -> None:
    """However it moves: such a node has no place in what is counted by source either."""
    node = Task.read(0).max_nodes
    if node == NodeMask.LIMIT:
        pytest.skip("this kernel is built for as many nodes as a NodeMask has; others are not")
    source, target = (node, HERE) if side == "source" else (HERE, node)
    with pytest.raises(NodesRefused, match=f"built for nodes 0-{node - 1}") as refusal:
        Migration(0, moves={source: target}, rate=rate).run()
    assert (refusal.value.errno, refusal.value.reason) == (errno.EINVAL, "too-large")
    preflight = check(0, source, target)
    (refused,) = (verdict for verdict in preflight.verdicts if verdict.state == "refused")
    assert refused.name == f"{side}-nodes"
    assert f"node {node}: this kernel is built for nodes 0-{node - 1}" in refused.finding
