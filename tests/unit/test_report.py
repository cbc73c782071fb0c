"""The report: what programs read in it, and what people do."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate.kernel.resident import Residency
from pymigrate.operations.action import REASONS
from pymigrate.operations.ledger import Counts
from pymigrate.operations.reasons import EVICTION, MIGRATION
from pymigrate.operations.report import Progress, Report
from pymigrate.units import KINDS

pages = st.integers(0, 2**40)
counts = st.builds(
    Counts,
    pages,
    pages,
    pages,
    pages,
    st.dictionaries(st.sampled_from(sorted(MIGRATION)), pages),
)
residencies = st.none() | st.builds(
    Residency,
    st.dictionaries(st.tuples(st.integers(0, 1023), st.sampled_from(KINDS)), pages),
    swapped=pages,
)
reports = st.builds(
    Report,
    pid=st.integers(1, 2**22),
    action=st.just("migrate"),
    sources=st.lists(st.integers(0, 1023)).map(tuple),
    moves=st.dictionaries(st.integers(0, 1023), st.integers(0, 1023)),
    outcome=st.sampled_from(["done", "cancelled", "ended"]),
    methods=st.sampled_from([(), ("move_pages",), ("move_pages", "migrate_pages")]),
    page_size=st.sampled_from([4096, 65536]),
    elapsed=st.floats(0, 1e9),
    steps=st.integers(0, 10**6),
    longest_step=st.floats(0, 1e9),
    total=counts,
    by_source=st.dictionaries(st.integers(0, 1023), counts),
    by_kind=st.dictionaries(st.sampled_from(KINDS), counts),
    appeared=pages,
    before=residencies,
    after=residencies,
    bounced=st.none() | pages,
    balancing=st.booleans(),
)


def some_report() -> Report:
    """All went well: 1,024 pages of 4 KiB in two seconds."""
    moved = Counts(asked=1024, moved=1024)
    return Report(
        pid=7,
        action="migrate",
        sources=(0,),
        moves={0: 1},
        outcome="done",
        methods=("migrate_pages",),
        page_size=4096,
        elapsed=2.0,
        steps=0,
        longest_step=0.0,
        total=moved,
        by_source={0: moved},
        by_kind={"anonymous": moved},
        appeared=0,
        before=Residency({(0, "anonymous"): 1024}),
        after=Residency({(1, "anonymous"): 1024}),
        bounced=None,
        balancing=False,
    )


@given(reports)
def test_json_round_trip(report: Report) -> None:
    assert json.loads(report.to_json()) == report.to_dict()
    assert "\n" not in report.to_json()


@given(reports)
def test_pickle_round_trip(report: Report) -> None:
    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301


@given(reports)
def test_text_names_every_reason(report: Report) -> None:
    text = str(report)
    assert f"pid {report.pid}" in text
    for reason, left in report.total.left.items():
        assert (f"{reason}: " in text) or not left


def test_every_reason_is_explained() -> None:
    assert set(REASONS.values()) < {*MIGRATION, *EVICTION}
    for reasons in (MIGRATION, EVICTION):
        assert all(cause and remedy for cause, remedy in reasons.values())


def test_an_eviction_has_words_of_its_own() -> None:
    left = Counts(asked=1024, moved=1000, left={"shared": 20, "locked": 4})
    text = str(replace(some_report(), action="evict", moves={}, total=left))
    assert "out of nodes 0" in text
    assert "evicted        1000 pages" in text
    assert "KSM" in text
    assert "mlock" in text


def test_the_longest_step_is_told_where_there_were_steps() -> None:
    assert "steps" not in str(some_report())
    stepped = replace(some_report(), methods=("move_pages",), steps=3, longest_step=0.25)
    assert "by move_pages, 3 steps, the longest 250.0 ms" in str(stepped)


def test_rate() -> None:
    report = some_report()
    assert report.rate == 2 * 1024 * 1024
    assert replace(report, elapsed=0.0).rate == 0


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "cancelled"},
        {"outcome": "ended"},
        {"appeared": 1},
        {"total": Counts(asked=2, moved=1, left={"busy": 1})},
    ],
)
def test_complete(change: dict[str, object]) -> None:
    assert some_report().complete
    assert some_report().to_dict()["complete"] is True
    report = replace(some_report(), **change)  # type: ignore[arg-type]
    assert not report.complete
    assert report.to_dict()["complete"] is False


def test_vanished_pages_are_no_fault() -> None:
    assert replace(some_report(), total=Counts(asked=2, moved=1, vanished=1)).complete


def test_a_process_without_pages() -> None:
    report = replace(some_report(), before=Residency({}), after=None)
    assert isinstance(report.to_dict()["before"], dict)
    assert report.to_dict()["after"] is None
    json.loads(report.to_json())


@pytest.mark.parametrize(
    ("balancing", "cause"), [(True, "NUMA balancing"), (False, "something brought them back")]
)
def test_what_bounced_back(balancing: bool, cause: str) -> None:
    text = str(replace(some_report(), bounced=5, balancing=balancing))
    assert "bounced back" in text
    assert cause in text
    assert "bounced back" not in str(some_report())
    assert "bounced back   0 pages" in str(replace(some_report(), bounced=0))


@given(pages, pages)
def test_progress(done: int, total: int) -> None:
    progress = Progress(done, total, 1.0, None)
    assert progress.left == max(0, total - done)
