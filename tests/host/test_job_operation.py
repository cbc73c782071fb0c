"""Processes of a job that are refused midway: what was done by then is told with the refusal."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support.processes import idle_process

from pymigrate import Job, JobReport, Migration, NotPermitted
from pymigrate.cli.job_table import print_rows
from pymigrate.launchers import account
from pymigrate.operations.report import Progress

Moves = Callable[[int], dict[int, int]]


def refused_midway(refused: int, *others: int) -> JobReport:
    """What becomes of a job, one process of which is refused when its pages have been counted."""
    operation = Job.of([refused, *others]).migration(0, 0)
    make = operation._make

    def make_or_refuse(pid: int) -> Migration:
        made = make(pid)
        assert isinstance(made, Migration)
        if pid == refused:
            made.__class__ = Refused
        return made

    operation._make = make_or_refuse
    return operation.run()


class Refused(Migration):
    """What goes wrong once it has begun."""

    def _walk(self, *_: object) -> Iterator[Progress]:
        raise NotPermitted(errno.EPERM, "it has become another user's", pid=self._process.pid)
        yield


def test_counts_and_refusal_are_kept_together() -> None:
    with idle_process() as one, idle_process() as two:
        report = refused_midway(one, two)
    assert sorted(report.reports) == sorted([one, two])
    assert list(report.failures) == [one]
    part = report.reports[one]
    assert part.total.asked == part.total.already_there > 0
    assert part.total.closes()
    assert report.total.closes()
    assert (report.outcome, report.complete) == ("done", False)
    assert str(report).startswith("2 processes, 1 of them not dealt with: done in ")
    assert f"pid {one}: it has become another user's" in str(report)


def test_such_a_process_is_one_row_of_its_host() -> None:
    with idle_process() as one, idle_process() as two:
        report = account.of_job("h1", refused_midway(one, two), {one: 0, two: 1})
    assert [(row.rank, row.outcome) for row in report.ranks] == [(0, "failed"), (1, "done")]
    assert "it has become another user's" in report.ranks[0].finding
    assert report.ranks[0].nodes
    (host,) = report.hosts
    assert (host.processes, host.troubled, host.outcome) == (2, 1, "left")


def test_where_it_is_the_only_one_the_host_has_failed() -> None:
    with idle_process() as pid:
        report = account.of_job("h1", refused_midway(pid))
    (host,) = report.hosts
    assert (host.processes, host.outcome, host.error) == (1, "failed", "NotPermitted")
    assert host.amounts.pages.asked > 0


def test_and_one_row_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich", reason="rich is missing: pip install pymigrate-numa[cli]")
    with idle_process() as pid:
        print_rows(refused_midway(pid))
    (row,) = [line for line in capsys.readouterr().out.splitlines() if str(pid) in line]
    assert row.split()[-2:] == ["failed", "unknown"]


@pytest.fixture
def six() -> Iterator[list[int]]:
    """Processes of a job."""
    with ExitStack() as stack:
        yield [stack.enter_context(idle_process()) for _ in range(6)]


def moves_but_for(*raising: int, error: type[BaseException]) -> tuple[list[int], Moves]:
    """What raises for some processes, and of whom it has been asked."""
    asked: list[int] = []

    def moves(pid: int) -> dict[int, int]:
        asked.append(pid)
        if pid in raising:
            raise error(pid)
        return {0: 0}

    return asked, moves


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize("workers", [1, 3])
def test_what_the_caller_has_wrong_for_one_stops_no_other(
    six: list[int], number: int, workers: int
) -> None:
    _, moves = moves_but_for(six[number], error=ZeroDivisionError)
    operation = Job.of(six).migration(moves=moves, workers=workers)
    with pytest.raises(ZeroDivisionError):
        operation.run()
    report = operation.report
    assert sorted([*report.reports, six[number]]) == sorted(six)
    assert report.not_begun == (six[number],)
    assert report.failures == {}
    assert (report.outcome, report.complete) == ("done", False)


def test_the_first_of_it_is_raised_in_the_end_also_of_an_operation_that_is_watched(
    six: list[int],
) -> None:
    asked, moves = moves_but_for(six[1], six[4], error=ZeroDivisionError)
    operation = Job.of(six).migration(moves=moves, workers=1)
    with pytest.raises(ZeroDivisionError) as caught:
        operation.run(lambda _: None)
    (first, second) = [pid for pid in dict.fromkeys(asked) if pid in (six[1], six[4])]
    assert caught.value.args == (first,)
    assert operation.report.not_begun == tuple(sorted([first, second]))
    assert len(operation.report.reports) == 4


@pytest.mark.parametrize("number", [0, 3])
def test_what_ends_it_at_once_leaves_nobody_out(six: list[int], number: int) -> None:
    asked, moves = moves_but_for(six[number], error=SystemExit)
    operation = Job.of(six).migration(moves=moves, shared=False, workers=1)
    with pytest.raises(SystemExit):
        operation.run()
    report = operation.report
    assert sorted([*report.reports, *report.not_begun]) == sorted(six)
    assert set(report.not_begun) == {pid for pid in six if pid not in asked} | {six[number]}
