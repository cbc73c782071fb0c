"""Ranks that agree on a wish or not, without any engine."""

from __future__ import annotations

from functools import reduce
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from pymigrate.launchers.mpi_agreement import Ballot

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
