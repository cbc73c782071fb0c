"""A NodeMask is a set of ints: what frozenset answers, it answers."""

from __future__ import annotations

import enum
import operator
from collections.abc import Hashable, Set
from typing import Any, Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import LIMIT, node_sets

from pymigrate import InvalidNodes, InvalidType, NodeMask

# Two sets that have something to do with each other now and then.
PAIRS = st.one_of(
    st.tuples(node_sets(8), node_sets(8)),
    st.tuples(node_sets(200), node_sets(200)),
    node_sets(200).map(lambda nodes: (nodes, nodes)),
    st.just((frozenset([LIMIT - 1, 3]), frozenset([3]))),
)

beside = pytest.mark.parametrize("kind", [NodeMask, frozenset, set])


@beside
@pytest.mark.parametrize(
    "operate", [operator.and_, operator.or_, operator.xor, operator.sub], ids=lambda f: f.__name__
)
@given(pair=PAIRS)
def test_algebra(
    operate: Callable[[Any, Any], object],
    kind: Callable[[frozenset[int]], Set[int]],
    pair: tuple[frozenset[int], frozenset[int]],
) -> None:
    left, right = pair
    for result in (operate(NodeMask(left), kind(right)), operate(kind(left), NodeMask(right))):
        assert type(result) is NodeMask
        assert set(result) == operate(left, right)


@beside
@pytest.mark.parametrize(
    "compare",
    [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge],
    ids=lambda f: f.__name__,
)
@given(pair=PAIRS)
def test_comparison(
    compare: Callable[[Any, Any], object],
    kind: Callable[[frozenset[int]], Set[int]],
    pair: tuple[frozenset[int], frozenset[int]],
) -> None:
    left, right = pair
    assert compare(NodeMask(left), kind(right)) is compare(left, right)
    assert compare(kind(left), NodeMask(right)) is compare(left, right)


@beside
@given(pair=PAIRS)
def test_isdisjoint(
    kind: Callable[[frozenset[int]], Set[int]], pair: tuple[frozenset[int], frozenset[int]]
) -> None:
    left, right = pair
    assert NodeMask(left).isdisjoint(kind(right)) is left.isdisjoint(right)


@given(node_sets())
@example(frozenset(range(LIMIT)))
def test_hash_is_that_of_equal_sets(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert mask == nodes
    assert hash(mask) == hash(nodes)
    assert len({mask, nodes}) == 1


@given(node_sets())
def test_is_no_other_thing(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert mask != sorted(nodes)
    assert mask != str(mask)
    assert mask != mask.to_bits()


@given(node_sets(), st.integers())
@example(frozenset([0]), -1)
@example(frozenset([0]), 10**30)
def test_contains(nodes: frozenset[int], number: int) -> None:
    mask = NodeMask(nodes)
    assert (number in mask) is (number in nodes)
    assert all(node in mask for node in nodes)


@pytest.mark.parametrize("stranger", ["0", b"0", None, (0,), [], "0-3", 0.5, float("nan")])
def test_contains_no_strangers(stranger: object) -> None:
    assert stranger not in NodeMask("0-3")


@given(node_sets())
@example(frozenset(range(LIMIT)))
def test_order_and_rank(nodes: frozenset[int]) -> None:
    mask, ascending = NodeMask(nodes), sorted(nodes)
    assert list(mask) == ascending
    assert list(reversed(list(mask))) == ascending[::-1]
    assert len(mask) == len(ascending)
    assert bool(mask) is bool(ascending)
    if nodes:
        assert (mask[0], mask[-1]) == (mask.lowest, mask.highest) == (ascending[0], ascending[-1])


@given(node_sets(64), st.integers(-70, 70))
def test_one_rank(nodes: frozenset[int], rank: int) -> None:
    mask, ascending = NodeMask(nodes), sorted(nodes)
    if -len(nodes) <= rank < len(nodes):
        assert mask[rank] == ascending[rank]
    else:
        with pytest.raises(IndexError):
            mask[rank]


@pytest.mark.parametrize("end", ["lowest", "highest"])
def test_none_has_no_ends(end: str) -> None:
    with pytest.raises(InvalidNodes, match="no lowest and no highest"):
        getattr(NodeMask(), end)


def test_is_an_abstract_set() -> None:
    mask = NodeMask("0-3")
    assert isinstance(mask, Set)
    assert isinstance(mask, Hashable)
    assert issubclass(NodeMask, Set)


@pytest.mark.parametrize("name", [*filter(lambda n: n[0] != "_", dir(NodeMask)), "anything"])
def test_nothing_can_be_changed(name: str) -> None:
    mask = NodeMask("0-3")
    with pytest.raises(AttributeError):
        setattr(mask, name, 1)
    with pytest.raises(AttributeError):
        delattr(mask, name)
    assert not hasattr(mask, "__dict__")
    assert list(mask) == [0, 1, 2, 3]


@pytest.mark.parametrize("operate", [operator.iand, operator.ior, operator.ixor, operator.isub])
def test_augmented_assignment_makes_another(operate: Callable[[Any, Any], object]) -> None:
    mask = NodeMask("0-3")
    assert operate(mask, NodeMask("2-5")) is not mask
    assert list(mask) == [0, 1, 2, 3]


class Index:
    """An integer that is no int, as numpy's are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __eq__(self, other: object) -> bool:
        return self.value == other

    def __hash__(self) -> int:
        return hash(self.value)


class Number(int):
    """An int with more to it."""


class Socket(enum.IntEnum):
    """Names for nodes."""

    LEFT = 0
    RIGHT = 3


class Flags(enum.IntFlag):
    """Names for bits."""

    ZERO = 1
    ONE = 2


@pytest.mark.parametrize("node", [Index(3), Number(3), Socket.RIGHT], ids=type)
def test_integers_of_other_types_are_nodes(node: Any) -> None:
    assert NodeMask(node) == NodeMask([node]) == {3}
    assert str(NodeMask([0, node])) == "0,3"
    assert node in NodeMask("0-3")
    assert node not in NodeMask("0-2")


def test_sets_of_other_integers_combine() -> None:
    mask = NodeMask("0-3")
    others: set[Any] = {Index(3), Number(5)}
    assert mask & others == {3}
    assert others & mask == {3}
    assert mask | others == {0, 1, 2, 3, 5}
    assert mask - others == {0, 1, 2}
    assert mask ^ others == {0, 1, 2, 5}
    assert NodeMask([3, 5]) == others
    assert others == NodeMask([3, 5])


def test_flags_are_bits() -> None:
    mask = NodeMask.from_bits(Flags.ZERO | Flags.ONE)
    assert (str(mask), repr(mask), mask.to_hex()) == ("0-1", "NodeMask('0-1')", "00000003")
    assert type(mask.to_bits()) is int
    assert NodeMask("0-5") - mask == {2, 3, 4, 5}


@pytest.mark.parametrize(
    "operate", [operator.and_, operator.or_, operator.xor, operator.sub], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("other", ["0-1", 1, [1], None])
def test_only_sets_combine(operate: Callable[[Any, Any], object], other: object) -> None:
    for left, right in ((NodeMask("0-3"), other), (other, NodeMask("0-3"))):
        with pytest.raises(TypeError):
            operate(left, right)


@pytest.mark.parametrize(("stranger", "error"), [("1", InvalidType), (-1, InvalidNodes)])
def test_strangers_do_not_come_in(stranger: Any, error: type[Exception]) -> None:
    for combine in (
        lambda: NodeMask("0") | {stranger},
        lambda: {stranger} | NodeMask("0"),
        lambda: {stranger} ^ NodeMask("0"),
        lambda: {stranger} - NodeMask("0"),
    ):
        with pytest.raises(error, match=repr(stranger)):
            combine()
    assert NodeMask("0") & {stranger} == NodeMask()
    assert NodeMask("0") - {stranger} == NodeMask("0")
