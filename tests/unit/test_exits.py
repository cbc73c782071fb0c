"""Which nodes' pages an eviction takes, for all sets of nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import Eviction, InvalidNodes, InvalidType, NodeMask
from pymigrate.operations.exits import Exits

masks = st.frozensets(st.integers(0, 9)).map(NodeMask)


@given(masks, masks)
def test_what_is_in_old_and_not_in_new(old: NodeMask, new: NodeMask) -> None:
    exits = Exits(old, new)
    assert exits.sources == old - new
    assert exits.settled == new
    assert exits.targets == NodeMask()
    assert not exits.overlap
    assert exits.moves == {}


def test_in_words() -> None:
    assert str(Exits("0-2", "1")) == "out of 0,2"
    assert str(Exits(0, 0)) == "nothing has to leave"


def test_no_set_of_nodes() -> None:
    with pytest.raises(InvalidNodes):
        Exits("0-x", 1)


def test_arguments_are_refused_beforehand() -> None:
    with pytest.raises(InvalidType, match="without_swap"):
        Eviction(0, 0, 1, without_swap="no")  # type: ignore[arg-type]
