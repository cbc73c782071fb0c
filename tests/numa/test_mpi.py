"""Ranks whose memory really moves: by MPICH, in one collective call."""

from __future__ import annotations

from typing import Any

import pytest
from support import requires
from support.mpi import MPICH

from pymigrate import ClusterReport

pytest.importorskip("mpi4py", reason="mpi4py is missing: pip install pymigrate-numa[mpi]")

pytestmark = [
    requires.root,
    pytest.mark.numa,
    pytest.mark.usefixtures("calm"),
    pytest.mark.skipif(
        not MPICH.folder.exists(), reason=f"MPICH is not in {MPICH.folder}: `make test` installs it"
    ),
]

RANKS = 3
PAGES = 2000  # as the ranks have
WINDOW_PAGES = 10_000


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    return MPICH.run(RANKS, ["old_and_new", "home", "shared_window", "interrupted"])


def report_of(answer: Any) -> ClusterReport:
    return ClusterReport.from_dict(answer["report"])


def test_the_memory_of_every_rank_is_moved(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        assert answer["old_and_new"]["pages"] == {"2": PAGES}
        assert answer["old_and_new"]["intact"]
    report = report_of(answers[0]["old_and_new"])
    assert report.total.pages.moved >= RANKS * PAGES
    assert report.total.pages.closes()
    assert not report.total.pages.left
    assert [row.rank for row in report.ranks] == list(range(RANKS))
    assert all(row.moved >= PAGES * 4096 for row in report.ranks)


def test_ranks_that_were_bound_late_get_their_memory(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        node = str(answer["rank"])
        assert answer["home"]["before"]["pages"] == {"0": PAGES}
        assert answer["home"]["pages"] == {node: PAGES}
        assert answer["home"]["intact"]


def test_a_shared_window_is_moved_once(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        assert answer["shared_window"]["seen"] == WINDOW_PAGES * 4096
        assert answer["shared_window"]["nodes"] == [2]
    moved = report_of(answers[0]["shared_window"]).total.pages.moved
    assert WINDOW_PAGES <= moved < 2 * WINDOW_PAGES  # what else the ranks have is less than that


def test_an_interrupt_ends_it_and_keeps_nobody_waiting(answers: list[dict[str, Any]]) -> None:
    assert answers[0]["interrupted"]["interrupted"]
    for answer in answers:
        assert answer["interrupted"]["intact"]
        assert report_of(answer["interrupted"]["after"]).processes == RANKS
        report = report_of(answer["interrupted"])  # of rank 0 too, to which Ctrl-C came
        assert report.outcome == "cancelled"
        assert report.status == 130
        assert report.total.pages.moved < RANKS * PAGES
        assert report.total.pages.left["not-tried"] > 0
        assert report.total.pages.closes()
