"""Routes: which node's pages go where, and how it is refused to say that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import InvalidArgument, InvalidType, NodeMask, plan
from pymigrate.operations.direct import is_enough
from pymigrate.operations.routes import Routes

maps = st.dictionaries(st.integers(0, 9), st.integers(0, 9), min_size=1)
node_sets = st.frozensets(st.integers(0, 9), min_size=1)


@given(node_sets, node_sets)
def test_two_sets_are_paired_by_the_kernel(old: frozenset[int], new: frozenset[int]) -> None:
    routes = Routes.between(old, new)
    assert list(routes.moves.items()) == plan(old, new)
    check(routes)
    assert routes.calls() == [(NodeMask(old), NodeMask(new))]


@given(maps)
def test_a_map_is_taken_as_it_is(moves: dict[int, int]) -> None:
    routes = Routes.of_map(moves)
    assert routes.moves == {s: t for s, t in moves.items() if s != t}
    check(routes)
    assert (routes.old, routes.new) == (NodeMask(moves), NodeMask(moves.values()))


def check(routes: Routes) -> None:
    """What is derived is what it says."""
    assert routes.sources == NodeMask(routes.moves)
    assert routes.targets == NodeMask(routes.moves.values())
    assert routes.overlap == any(target in routes.moves for target in routes.moves.values())
    assert not routes.settled & routes.sources
    assert routes.settled | routes.sources == routes.old | routes.new


@given(maps)
def test_the_calls_do_what_the_map_says(moves: dict[int, int]) -> None:
    routes = Routes.of_map(moves)
    if routes.overlap:
        return  # no sequence of calls can
    where = {node: node for node in range(10)}  # of what was on each node
    for old, new in routes.calls():
        pairs = dict(plan(old, new))
        where = {node: pairs.get(now, now) for node, now in where.items()}
    assert where == {node: routes.moves.get(node, node) for node in range(10)}


@pytest.mark.parametrize(
    "moves",
    [
        {},
        {0: -1},
        {-1: 0},
        {True: 1},
        {0: False},
        {0: 1.0},
        {0: None},
        {0: "x"},
        {0: 2**40},
        0,
        "0:1",
        b"01",
        [0, 1],
        object(),
    ],
)
def test_what_is_no_map(moves: Any) -> None:
    with pytest.raises(InvalidArgument):
        Routes.of(None, None, moves)


@pytest.mark.parametrize(
    ("moves", "named"),
    [
        ([(0, 1)], r"\[\(0, 1\)\]: give a map"),
        ({True: 1}, "True is no node; give an int, not a bool"),
        ({0: False}, "False is no node; give an int, not a bool"),
        ({0: 1.0}, "1.0 is no node; give an int, not a float"),
        ({0: "1"}, "'1' is no node; give an int, not a str"),
    ],
)
def test_what_is_wrong_with_a_map_is_named(moves: Any, named: str) -> None:
    with pytest.raises(InvalidType, match=f"^moves .*{named}"):
        Routes.of_map(moves)


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [(0, 1, {0: 1}), (0, None, {0: 1}), (None, 1, {0: 1}), (0, None, None), (None, None, None)],
)
def test_both_or_neither(old: Any, new: Any, moves: Any) -> None:
    with pytest.raises(InvalidArgument):
        Routes.of(old, new, moves)


def test_nothing_to_move_to() -> None:
    with pytest.raises(InvalidArgument):
        Routes.between("0", "")


def test_text() -> None:
    assert str(Routes.of_map({0: 2, 1: 3, 2: 2})) == "0 -> 2, 1 -> 3"
    assert str(Routes.of_map({1: 1})) == "nothing moves"


@pytest.mark.parametrize("privileged", [True, False])
def test_the_single_call_is_enough_where_it_does_what_is_asked_for(privileged: bool) -> None:
    routes = Routes.of("0", "1", None)
    assert is_enough(routes, shared=None, privileged=privileged)
    assert is_enough(routes, shared=privileged, privileged=privileged)
    assert not is_enough(routes, shared=not privileged, privileged=privileged)
    swap = Routes.of(None, None, {0: 1, 1: 0})
    assert not is_enough(swap, shared=None, privileged=privileged)
