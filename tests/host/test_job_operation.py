"""Processes of a job that are refused midway: what was done by then is told with the refusal."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest
from support.processes import idle_process

from pymigrate import Job, JobReport, Migration, NotPermitted
from pymigrate.cli.job_table import print_rows
from pymigrate.launchers import account
from pymigrate.operations.report import Progress


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
