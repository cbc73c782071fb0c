"""The ledger: whatever is entered, its sums agree; and Counts knows when they close."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymigrate.operations.ledger import Counts, Entry, Ledger
from pymigrate.units import KINDS

OUTCOMES = ("moved", "already_there", "vanished", "busy", "shared", "no-memory")

places = st.one_of(st.tuples(st.integers(0, 3), st.sampled_from(KINDS)), st.just((None, None)))
fates = st.tuples(places, st.sampled_from(OUTCOMES), st.integers(1, 1000))


def entered(all_fates: list[tuple[tuple[int | None, str | None], str, int]]) -> Ledger:
    """A ledger of pages that were asked for and have met their fate."""
    ledger = Ledger()
    for (source, kind), outcome, pages in all_fates:
        ledger.enter(Entry(source, kind, column, pages) for column in ("asked", outcome))
    return ledger


@given(st.lists(fates))
def test_sums_close(all_fates: list[tuple[tuple[int | None, str | None], str, int]]) -> None:
    ledger = entered(all_fates)
    assert ledger.total.asked == sum(pages for _, _, pages in all_fates)
    assert ledger.total.closes()
    for rows in (ledger.by_source(), ledger.by_kind()):
        assert all(counts.closes() for counts in rows.values())
        known = sum(pages for place, _, pages in all_fates if place != (None, None))
        assert sum(counts.asked for counts in rows.values()) == known
    assert list(ledger.by_source()) == sorted(ledger.by_source())


@given(st.lists(fates))
def test_what_was_left_can_be_taken_back(
    all_fates: list[tuple[tuple[int | None, str | None], str, int]],
) -> None:
    ledger = entered(all_fates)
    done = entered([fate for fate in all_fates if fate[1] in OUTCOMES[:3]])
    ledger.forget_left()
    assert ledger.total == done.total
    assert ledger.total.left == {}


@given(st.lists(fates), st.lists(fates))
def test_counts_add_up(
    some: list[tuple[tuple[int | None, str | None], str, int]],
    more: list[tuple[tuple[int | None, str | None], str, int]],
) -> None:
    counts = entered(some).total
    counts.include(entered(more).total)
    assert counts == entered(some + more).total


def test_sums_that_do_not_close() -> None:
    assert Counts().closes()
    assert Counts(asked=3, moved=1, left={"busy": 2}).closes()
    assert not Counts(asked=3, moved=1).closes()
    assert not Counts(asked=1, moved=2, vanished=-1).closes()
    assert not Counts(asked=1, moved=2, left={"busy": -1}).closes()


def test_a_reason_without_pages_is_none() -> None:
    counts = Counts()
    counts.add("busy", 2)
    counts.add("busy", -2)
    assert counts.left == {}
    assert counts.left_behind == 0
