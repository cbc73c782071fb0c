"""How far a job is: two passes over a process add up, and never go back."""

from __future__ import annotations

from pymigrate.jobs.job_progress import HowFar
from pymigrate.jobs.member import Member
from pymigrate.operations.ledger import Counts
from pymigrate.units import PAGE_SIZE

ONE, TWO = Member(7, 1), Member(8, 1)


def done(how_far: HowFar, pages: int = 100) -> int:
    return how_far.progress(pages, 2, 0).done // PAGE_SIZE


def test_what_waits_for_the_second_pass_is_not_done() -> None:
    how_far = HowFar(shared_later=True)
    first = Counts(asked=60, moved=20, left={"shared": 35, "busy": 5})
    how_far.note(ONE, first, again=False)
    assert done(how_far) == 25
    how_far.begin_again(ONE, first)
    assert done(how_far) == 25
    how_far.note(ONE, Counts(asked=3, left={"busy": 3}), again=True)
    assert done(how_far) == 25, "busy pages had been counted"
    how_far.note(ONE, Counts(asked=60, already_there=20, moved=35, left={"busy": 5}), again=True)
    assert done(how_far) == 60


def test_without_a_second_pass_what_is_shared_is_left() -> None:
    how_far = HowFar(shared_later=False)
    how_far.note(ONE, Counts(asked=60, moved=20, left={"shared": 40}), again=False)
    assert done(how_far) == 60


def test_a_pid_that_means_another_one_counts_anew() -> None:
    how_far = HowFar(shared_later=True)
    how_far.note(ONE, Counts(asked=60, moved=60), again=False)
    how_far.note(Member(ONE.pid, 2), Counts(asked=10, moved=10), again=False)
    how_far.note(TWO, Counts(asked=1, moved=1), again=False)
    assert done(how_far) == 71


def test_the_total_is_what_was_seen_beforehand_and_no_less_than_what_is_done() -> None:
    how_far = HowFar(shared_later=True)
    how_far.note(ONE, Counts(asked=60, moved=60), again=False)
    assert how_far.progress(100, 1, 0).total == 100 * PAGE_SIZE
    assert how_far.progress(10, 1, 0).total == 60 * PAGE_SIZE
