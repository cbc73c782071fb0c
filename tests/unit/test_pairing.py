"""Pages from outside go inside: to their partner, else to the nearest, and spread where equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import InvalidNodes, NodeMask, plan
from pymigrate.jobs.pairing import inward, reachable

NODES = st.sets(st.integers(0, 7)).map(NodeMask)
SOME = st.sets(st.integers(0, 7), min_size=1).map(NodeMask)
DISTANCES = st.dictionaries(
    st.integers(0, 7), st.dictionaries(st.integers(0, 7), st.integers(10, 254))
)
FLAT: dict[int, dict[int, int]] = {a: {b: 10 if a == b else 20 for b in range(8)} for a in range(8)}

# Two sockets of two nodes each.
SOCKETS = {
    a: {b: 10 if a == b else 12 if a // 2 == b // 2 else 32 for b in range(4)} for a in range(4)
}


@given(NODES, SOME, DISTANCES, st.dictionaries(st.integers(0, 7), st.integers(0, 7)))
def test_all_that_is_outside_goes_inside(
    outside: NodeMask,
    inside: NodeMask,
    distances: dict[int, dict[int, int]],
    partners: dict[int, int],
) -> None:
    moves = inward(outside, inside, distances, partners)
    assert NodeMask(moves) == outside - inside
    assert NodeMask(moves.values()) <= inside
    for source, target in moves.items():
        if partners.get(source) in inside:
            assert target == partners[source]
        else:
            known = distances.get(source, {})
            assert known.get(target, 255) == min(known.get(node, 255) for node in inside)


@given(NODES, SOME)
def test_where_all_are_equally_near_it_is_the_kernels_pairing(
    outside: NodeMask, inside: NodeMask
) -> None:
    assert inward(outside, inside, FLAT) == dict(plan(outside - inside, inside))


def test_the_nearest() -> None:
    assert inward(NodeMask("0,3"), NodeMask("1-2"), SOCKETS) == {0: 1, 3: 2}
    assert inward(NodeMask("0,2"), NodeMask("1"), SOCKETS) == {0: 1, 2: 1}


def test_a_partner_that_is_far() -> None:
    assert inward(NodeMask("0"), NodeMask("1-2"), SOCKETS, {0: 2}) == {0: 2}
    assert inward(NodeMask("0"), NodeMask("1-2"), SOCKETS, {0: 3}) == {0: 1}


def test_nowhere_to_go() -> None:
    with pytest.raises(InvalidNodes):
        inward(NodeMask(0), NodeMask(), FLAT)


@given(NODES, NODES, DISTANCES)
def test_reachable(
    wanted: NodeMask, allowed: NodeMask, distances: dict[int, dict[int, int]]
) -> None:
    found = reachable(wanted, allowed, distances)
    assert found <= allowed
    assert bool(found) == bool(wanted and allowed)
    if wanted & allowed:
        assert found == wanted & allowed


def test_the_nearest_that_is_allowed() -> None:
    assert reachable(NodeMask(3), NodeMask("0,2"), SOCKETS) == NodeMask(2)
    assert reachable(NodeMask("1,3"), NodeMask("0,2"), SOCKETS) == NodeMask("0,2")
