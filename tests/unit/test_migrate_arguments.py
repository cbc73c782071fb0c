"""migrate() refuses what makes no sense before it makes the call."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import (
    Eviction,
    InvalidArgument,
    InvalidNodes,
    InvalidType,
    Migration,
    NodeMask,
    check,
    check_eviction,
    evict,
    migrate,
    plan,
)


@pytest.mark.parametrize("pid", [True, False, 1.0, "1", b"1", None, [1], object()], ids=repr)
def test_no_pid(pid: Any) -> None:
    with pytest.raises(InvalidType) as refusal:
        migrate(pid, 0, 0)
    assert repr(pid) in str(refusal.value)


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=2**31)))
def test_pids_out_of_range(pid: int) -> None:
    with pytest.raises(InvalidArgument, match="pids go from 1 to 2147483647") as refusal:
        migrate(pid, 0, 0)
    assert str(pid) in str(refusal.value)


@pytest.mark.parametrize("empty", [(), "", {}.keys(), NodeMask()], ids=repr)
def test_no_targets(empty: Any) -> None:
    """Wherever targets are given, and whatever the process, an empty set is the same error."""
    for call in (
        partial(migrate, 2**31 - 1, 0),
        partial(plan, 0),
        partial(Migration, 0, 0),
        partial(check, 0, 0),
    ):
        with pytest.raises(InvalidNodes, match="empty"):
            call(empty)


@pytest.mark.parametrize("which", ["old", "new"])
@pytest.mark.parametrize("nodes", [{}, {0: 1}, MappingProxyType({0: 1})], ids=repr)
def test_a_map_is_no_node_set(nodes: Any, which: str) -> None:
    wrong = {"old": 0, "new": 0, which: nodes}
    calls = [partial(call, 0) for call in (migrate, Migration, check, Eviction, evict)]
    for call in (plan, *calls):
        with pytest.raises(InvalidType, match=rf"^{which} .*a map is no node set; .*moves="):
            call(**wrong)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [("x", InvalidNodes), ("", InvalidNodes), (-1, InvalidNodes), (True, InvalidType)],
)
def test_no_nodes(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=repr(wrong)):
        migrate(0, wrong, 0)
    with pytest.raises(error, match=repr(wrong)):
        migrate(0, 0, wrong)


@pytest.mark.parametrize("wrong", [1, 0, "no", None])
def test_without_swap_is_a_flag(wrong: Any) -> None:
    for call in (Eviction, check_eviction):
        with pytest.raises(InvalidType, match="without_swap"):
            call(0, 0, 1, without_swap=wrong)
