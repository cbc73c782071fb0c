"""What programs wish, and ranks that agree on it or not, without any engine."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import InvalidArgument, InvalidNodes, InvalidType, NodeMask
from pymigrate.launchers.inside import wished
from pymigrate.launchers.mpi_agreement import Ballot
from pymigrate.launchers.wish import Wish


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (0, 1, ("0", "1")),
        ([0, 1], NodeMask("2-3"), ("0-1", "2-3")),
        ("0-1", "2,3", ("0-1", "2,3")),
        (None, "home", (None, "home")),
        ("0", "device:ib0", ("0", "device:ib0")),
        ("local", 3, ("local", "3")),
        ("all", "0", ("all", "0")),  # the nodes of each host, not of this one
    ],
)
def test_nodes_become_text_that_hosts_understand(
    old: Any, new: Any, texts: tuple[str | None, str]
) -> None:
    wish = wished(old, new, shared=False, rate=1e9, max_stall=0.01, workers=3)
    assert wish == Wish("migrate", *texts, False, 1e9, 0.01, 3)


@pytest.mark.parametrize(
    ("arguments", "named", "kind"),
    [
        ((0, "x"), {}, InvalidNodes),
        ((0, []), {}, InvalidNodes),
        ((0, None), {}, InvalidArgument),
        ((None, 1), {}, InvalidArgument),
        ((0, {1: 2}), {}, InvalidType),
        ((True, 1), {}, InvalidType),
        ((0, 1), {"shared": 1}, InvalidType),
        ((0, 1), {"rate": 0}, InvalidArgument),
        ((0, 1), {"max_stall": -1}, InvalidArgument),
        ((0, 1), {"workers": 0}, InvalidArgument),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[Any, Any], named: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        wished(*arguments, **named)


says = st.one_of(st.none(), st.sampled_from(["0 1", "0 2", "home"]))


@given(st.lists(says, min_size=1, max_size=8), st.data())
def test_ballots_add_up_in_any_tree(told: list[str | None], data: st.DataObject) -> None:
    ballots = [
        Ballot(None, (rank, "refused")) if text is None else Ballot((rank, text), None)
        for rank, text in enumerate(told)
    ]
    total = reduce(add, ballots)
    while len(ballots) > 1:  # in the order of ranks, as a reduction does
        at = data.draw(st.integers(0, len(ballots) - 2))
        ballots[at : at + 2] = [ballots[at] + ballots[at + 1]]
    assert ballots == [total]
    able = [(rank, text) for rank, text in enumerate(told) if text is not None]
    assert total.first == (able[0] if able else None)
    assert total.other == next((it for it in able if it[1] != able[0][1]), None)
    assert total.refusal == ((told.index(None), "refused") if None in told else None)
