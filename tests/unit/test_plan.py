"""plan() is the kernel's loop; here is the loop, transcribed statement by statement."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from support.strategies import node_sets

from pymigrate import InvalidNodes, InvalidType, NodeMask, plan

SUBSETS = [frozenset(nodes) for size in range(8) for nodes in combinations(range(7), size)]


def node_remap(node: int, old: frozenset[int], new: frozenset[int]) -> int:
    """bitmap_bitremap() in lib/bitmap.c: the node of the same rank, modulo the weight of new."""
    if node not in old or not new:
        return node
    return sorted(new)[sorted(old).index(node) % len(new)]


def do_migrate_pages(old: frozenset[int], new: frozenset[int]) -> list[tuple[int, int]]:
    """The loop of that function in mm/mempolicy.c; each call of migrate_to_node() is an item."""
    moves = []
    remaining = set(old)
    while remaining:
        source = dest = None
        for s in sorted(remaining):
            # Unequal weights: a node that is in both sets stays.
            if len(old) != len(new) and s in new:
                continue
            d = node_remap(s, old, new)
            if s == d:
                continue
            source, dest = s, d
            if dest not in remaining:
                break
        if source is None or dest is None:
            break
        remaining.remove(source)
        moves.append((source, dest))
    return moves


def test_every_pair_of_subsets_of_seven_nodes() -> None:
    for old in SUBSETS:
        for new in SUBSETS[1:]:
            assert plan(old, new) == do_migrate_pages(old, new), (old, new)


@given(node_sets(limit=200), node_sets(limit=200).filter(bool))
def test_any_pair(old: frozenset[int], new: frozenset[int]) -> None:
    assert plan(old, new) == do_migrate_pages(old, new)


@given(node_sets(limit=200), node_sets(limit=200).filter(bool))
def test_invariants(old: frozenset[int], new: frozenset[int]) -> None:
    moves = plan(old, new)
    sources = [source for source, _ in moves]
    assert len(sources) == len(set(sources))
    assert {target for _, target in moves} <= new
    for done, (_, target) in enumerate(moves):
        assert target not in sources[done:]  # no page moves twice
    if len(old) != len(new):
        assert set(sources) == old - new
    else:
        assert set(sources) == {s for s, t in zip(sorted(old), sorted(new)) if s != t}


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("2-4", "3-5", [(4, 5), (3, 4), (2, 3)]),
        ("3-5", "2-4", [(3, 2), (4, 3), (5, 4)]),
        ("0-7", "3-5", [(7, 4), (6, 3), (2, 5), (1, 4), (0, 3)]),
        ("0-1", "2", [(0, 2), (1, 2)]),
        ("0", "0-1", []),
        ("0", "1", [(0, 1)]),
        ("0-1", "1", [(0, 1)]),
        ("0-3", "0-3", []),
        ((), "0-3", []),
        (0, [1], [(0, 1)]),
        (NodeMask("0,2"), {1, 3}, [(0, 1), (2, 3)]),
    ],
    ids=str,
)
def test_examples(old: Any, new: Any, moves: list[tuple[int, int]]) -> None:
    assert plan(old, new) == moves


@pytest.mark.parametrize("nothing", [(), NodeMask(), frozenset(), iter([])], ids=repr)
def test_nowhere_to_go(nothing: Any) -> None:
    with pytest.raises(InvalidNodes, match="new is empty"):
        plan("0", nothing)


@pytest.mark.parametrize(
    ("wrong", "error"), [("x", InvalidNodes), (-1, InvalidNodes), (True, InvalidType)]
)
def test_no_nodes(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=repr(wrong)):
        plan(wrong, 0)
    with pytest.raises(error, match=repr(wrong)):
        plan(0, wrong)
