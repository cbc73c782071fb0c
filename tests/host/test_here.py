"""The part of a job that is on this host, for real: on one node nothing can move."""

from __future__ import annotations

import errno
from typing import NoReturn

import pytest
from support.credentials import set_dumpable
from support.processes import ended, idle_process, unprivileged, zombie

from pymigrate import Job, LauncherError
from pymigrate.launchers import gpus, here
from pymigrate.launchers.here import do_here, host_name
from pymigrate.launchers.wish import Wish


@pytest.mark.parametrize(
    "wish", [Wish(old="0", new="0"), Wish(new="home"), Wish("check", "0", "0"), Wish("show")]
)
def test_processes_are_rows_with_their_ranks(wish: Wish) -> None:
    with idle_process() as one, idle_process() as two:
        ranks = {one: 5, two: 4}
        report = do_here(Job.of([one, two]), wish, ranks=lambda: ranks)
    assert report.action == wish.action
    assert [(row.rank, row.pid) for row in report.ranks] == [(4, two), (5, one)]
    assert (report.status, report.processes) == (0, 2)
    (host,) = report.hosts
    assert host.host == host_name()
    assert host.topology.startswith("nodes 0")
    assert all(row.nodes and sum(row.nodes.values()) > 0 for row in report.ranks)
    assert sum(host.nodes.values()) == sum(sum((row.nodes or {}).values()) for row in report.ranks)


def test_what_is_refused_for_a_process_is_told_with_it() -> None:
    with idle_process() as pid:
        report = do_here(Job.of([pid]), Wish("check", "0", "1023"), ranks=lambda: {pid: 0})
    (row,) = report.ranks
    assert report.status == 1
    assert "target-nodes: " in row.finding


def test_a_device_that_this_host_lacks_is_the_outcome_of_the_host() -> None:
    with idle_process() as pid:
        report = do_here(Job.of([pid]), Wish(new="device:ib7"), host="h3")
    (host,) = report.hosts
    assert (host.host, host.outcome, host.error) == ("h3", "failed", "UnknownNode")
    assert "'ib7'" in host.finding


@pytest.mark.parametrize(
    ("action", "outcome", "status"), [("migrate", "left", 1), ("check", "refused", 1)]
)
def test_a_gpu_that_is_on_no_known_node_is_told_with_its_process(
    action: str, outcome: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with idle_process() as one, idle_process() as two, idle_process() as three:
        opened = {two: {"/dev/nvidia77"}}
        monkeypatch.setattr(gpus, "_open_files", lambda pid, _: opened.get(pid, set()))
        report = do_here(Job.of([one, two, three]), Wish(action, None, "gpu", workers=1))
    (host,) = report.hosts
    assert (host.outcome, report.status) == (outcome, status)
    assert {row.pid: row.outcome for row in report.ranks} == {
        one: "done",
        two: "failed",
        three: "done",
    }
    (finding,) = [row.finding for row in report.ranks if row.outcome == "failed"]
    assert finding.startswith(f"pid {two}: device /dev/nvidia77: ")
    assert "; name the nodes themselves [" in finding


def test_a_host_without_processes_has_nothing_to_do() -> None:
    report = do_here(Job(lambda: [ended()]), Wish(old="0", new="0"))
    assert (report.status, report.processes) == (0, 0)


@pytest.mark.parametrize("action", ["migrate", "check"])
def test_where_no_process_is_dealt_with_the_host_has_failed(action: str) -> None:
    with zombie() as dead:
        with idle_process() as pid:
            job = Job.of([pid, dead])
            some = do_here(job, Wish(action, "0", "0"))
        none = do_here(job, Wish(action, "0", "0"))
    assert {row.pid: row.outcome for row in some.ranks} == {pid: "done", dead: "failed"}
    assert some.status == 1
    (host,) = none.hosts
    assert (none.status, host.outcome, host.error) == (2, "failed", "NoUserMemory")
    assert f"pid {dead}: it is a zombie" in host.finding


FAULTS = [LauncherError("scontrol does not answer"), OSError(errno.EMFILE, "Too many open files")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_later_look_that_fails_takes_back_nothing_that_was_done(fault: Exception) -> None:
    """Processes are looked for again after each round, and the engine may fail meanwhile."""
    looks = []

    def members() -> list[int]:
        looks.append(1)
        if len(looks) > 1:
            raise fault
        return [pid]

    with idle_process() as pid:
        report = do_here(Job(members), Wish(old="0", new="0"), ranks=lambda: {pid: 3})
    (host,) = report.hosts
    assert (host.outcome, host.error, host.finding) == ("failed", type(fault).__name__, str(fault))
    assert host.topology.startswith("nodes 0")
    assert host.amounts.pages.asked == host.amounts.pages.already_there > 0
    assert [(row.pid, row.rank, row.outcome) for row in report.ranks] == [(pid, 3, "done")]
    assert (report.processes, report.status) == (1, 2)


def test_nodes_that_are_not_to_be_seen_are_told_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unseen() -> NoReturn:
        raise LauncherError("no /sys here")

    monkeypatch.setattr(here, "fingerprint", unseen)
    begun: list[object] = []
    with idle_process() as pid:
        report = do_here(Job.of([pid]), Wish(old="0", new="0"), begun=begun.append)
    assert (report.hosts[0].error, begun) == ("LauncherError", [])


def test_a_look_that_finds_nobody_who_may_be_looked_at_has_failed() -> None:
    with idle_process(lambda: set_dumpable(False)) as pid:
        report = unprivileged(lambda: do_here(Job.of([pid]), Wish("show")))
    (host,) = report.hosts
    assert (report.status, host.outcome, host.error) == (2, "failed", "NotPermitted")


@pytest.mark.parametrize("action", ["check", "check-eviction"])
def test_a_check_finds_what_that_of_the_job_does(action: str) -> None:
    with idle_process() as one, idle_process() as two:
        job = Job.of([one, two])
        report = do_here(job, Wish(action, "0", "1023"))
        look = job.check if action == "check" else job.check_eviction
        expected = look("0", "1023")
    refused = [v.name for v in expected.processes[one].verdicts if v.state == "refused"]
    for row in report.ranks:
        assert row.outcome == ("refused" if refused else "done")
        assert not refused or row.finding.startswith(f"{refused[0]}: ")
    assert (report.action, report.status) == (action, 0 if expected else 1)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish("check", "0", "0"), "nothing is refused"),
        (Wish("check", "0", "1023"), "refused"),
        (Wish("show"), "done"),
    ],
)
def test_a_check_is_told_as_a_verdict(wish: Wish, told: str) -> None:
    with idle_process() as pid:
        report = do_here(Job.of([pid]), wish)
    assert str(report).startswith(f"1 host, 1 process: {told} in ")
