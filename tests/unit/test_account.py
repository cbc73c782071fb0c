"""From what happened to processes to the part of their host."""

from __future__ import annotations

import errno

import pytest

from pymigrate import KernelError, NoUserMemory
from pymigrate.jobs.job_preflight import JobPreflight
from pymigrate.jobs.job_report import JobReport
from pymigrate.launchers import account
from pymigrate.operations.verdicts import Preflight, Verdict


def failures(*pids: int) -> dict[int, KernelError]:
    return {pid: NoUserMemory(errno.EINVAL, "it is a zombie", pid=pid) for pid in pids}


def report_of_failures(*pids: int, outcome: str = "done") -> JobReport:
    return JobReport("migrate", outcome, True, 0.5, {}, failures(*pids), ())


def test_where_all_processes_failed_the_host_has() -> None:
    (row,) = account.of_job("h1", report_of_failures(8, 7)).hosts
    assert (row.outcome, row.status, row.error) == ("failed", 2, "NoUserMemory")
    assert row.finding.startswith("none of 2 processes could be dealt with; pid 7: it is a zombie")
    assert (row.processes, row.troubled) == (2, 2)


def test_one_that_was_stopped_is_told_as_such() -> None:
    (row,) = account.of_job("h1", report_of_failures(7, outcome="cancelled")).hosts
    assert (row.outcome, row.error) == ("cancelled", "")


@pytest.mark.parametrize(
    ("state", "outcome", "status"), [("refused", "refused", 1), ("warning", "done", 0)]
)
def test_what_is_found_for_all_together_is_told_of_the_host(
    state: str, outcome: str, status: int
) -> None:
    """Each process could be dealt with by itself."""
    each = {pid: Preflight(pid, (Verdict("alive", "ok", "it is there"),)) for pid in (7, 8)}
    whole = Verdict("swap", state, "5 GiB have to go to swap", "add swap")
    found = JobPreflight((Verdict("members", "ok", "2 processes"), whole), each, {})
    report = account.of_check("check-eviction", "h1", found, {}, {7: 0, 8: 1})
    (row,) = report.hosts
    assert (row.outcome, report.status, row.troubled) == (outcome, status, 0)
    assert row.finding == "swap: 5 GiB have to go to swap; add swap"
    assert "swap: 5 GiB have to go to swap; add swap" in str(report)


def test_a_process_that_is_not_to_be_looked_at_is_no_answer_of_the_others() -> None:
    each = {7: Preflight(7, (Verdict("alive", "ok", "it is there"),))}
    report = account.of_check("check", "h1", JobPreflight((), each, failures(8)), {}, {})
    assert {row.pid: row.outcome for row in report.ranks} == {7: "done", 8: "failed"}
    assert report.outcome == "refused"
