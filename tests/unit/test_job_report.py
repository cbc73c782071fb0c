"""The report of a job: what two passes over a process add up to."""

from __future__ import annotations

from pymigrate.jobs.job_report import joined
from pymigrate.operations.ledger import Counts
from pymigrate.operations.report import Report


def report(total: Counts) -> Report:
    return Report(
        pid=7,
        action="migrate",
        sources=(0,),
        moves={0: 1},
        outcome="done",
        methods=("move_pages",),
        page_size=4096,
        elapsed=1.0,
        steps=1,
        longest_step=1.0,
        total=total,
        by_source={0: total},
        by_kind={"anonymous": total},
        appeared=0,
        before=None,
        after=None,
        bounced=None,
        balancing=False,
    )


def test_what_stays_behind_in_both_passes_counts_once() -> None:
    """The second meets all that the first has left, be it shared, pinned or anything else."""
    own = Counts(asked=100, moved=60, left={"shared": 30, "busy": 10})
    shared = Counts(asked=100, moved=31, already_there=60, left={"busy": 9})
    both = joined(report(own), report(shared))
    assert both.total == Counts(asked=100, moved=91, left={"busy": 9})
    assert both.by_source == {0: both.total}
    assert both.by_kind == {"anonymous": both.total}
    assert both.total.closes()


def test_what_was_there_before_counts_once() -> None:
    own = Counts(asked=50, moved=20, already_there=20, left={"shared": 10})
    shared = Counts(asked=50, moved=10, already_there=40)
    both = joined(report(own), report(shared))
    assert both.total == Counts(asked=50, moved=30, already_there=20)
