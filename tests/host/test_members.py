"""Who belongs to a job: every rule finds the processes that are there, each of them once."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Callable

import pytest
from support.families import family, fork
from support.processes import ended, idle_process

from pymigrate import (
    Cpuset,
    Follower,
    InvalidArgument,
    InvalidType,
    Job,
    NoSuchProcess,
    relocate,
)
from pymigrate.jobs.members import by_cgroup

psutil = pytest.importorskip("psutil", reason="psutil is missing: pip install pymigrate-numa[job]")


def test_a_tree() -> None:
    with family() as (parent, pids):
        job = Job.tree(parent.pid)
        assert job.pids() == pids
        late = parent.ask(fork)
        assert job.pids() == sorted([*pids, late])


def test_who_was_in_the_tree_stays_in_it() -> None:
    with family() as (parent, pids):
        job = Job.tree(os.getpid())
        assert set(pids) < set(job.pids())
        assert parent.ask(fork) in job.pids()


def test_a_session_and_a_group() -> None:
    with family() as (parent, pids):
        assert Job.session(parent.pid).pids() == pids
        assert Job.session(pids[-1]).pids() == pids
        assert Job.group(parent.pid).pids() == pids
        assert os.getpid() not in Job.session(parent.pid).pids()


def test_a_list_of_pids_and_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        job = Job.of([thread.native_id, os.getpid(), 0])
        assert job.pids() == [os.getpid()]
    finally:
        done.set()
        thread.join()


def test_joined_and_chosen() -> None:
    with idle_process() as one, idle_process() as two:
        both = Job.of([one]) | Job.of([one, two])
        assert both.pids() == sorted([one, two])
        assert both.only(lambda process: process.pid == two).pids() == [two]


def test_residency_of_each() -> None:
    with idle_process() as one, idle_process() as two:
        found = Job.of([one, two]).residency()
        assert set(found) == {one, two}
        assert all(resident.pages() for resident in found.values())


@pytest.mark.parametrize("make", [Job.tree, Job.session, Job.group, lambda pid: Job.of([pid])])
def test_nobody(make: object) -> None:
    assert callable(make)
    with pytest.raises(NoSuchProcess):
        make(ended())
    with pytest.raises(InvalidArgument):
        make(-1)
    with pytest.raises(InvalidType):
        make(True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Job.of(5),  # type: ignore[arg-type]
        lambda: Job.of("5"),  # type: ignore[arg-type]
        lambda: Job.cgroup(None),  # type: ignore[arg-type]
        lambda: Job.cgroup(""),
        lambda: Cpuset.read(3),  # type: ignore[arg-type]
        lambda: Cpuset.of("x"),  # type: ignore[arg-type]
        lambda: relocate("", 0),
        lambda: relocate(5, 0),  # type: ignore[arg-type]
        lambda: Job.of([0]).migration(0, 0, retries=99),
        lambda: Job.of([0]).migration(0, 0, shared="yes"),  # type: ignore[arg-type]
        lambda: Job.of([0]).eviction(0, 0, without_swap=1),  # type: ignore[arg-type]
        lambda: Job.of([0]).only(5),  # type: ignore[arg-type]
        lambda: Follower(0, shared="x"),  # type: ignore[arg-type]
        lambda: Follower(0, wait=5),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidArgument):
        make()


def test_a_job_and_what_is_none() -> None:
    with pytest.raises(TypeError):
        Job.of([0]) | 3  # type: ignore[operator]


def test_who_is_missing_is_told_of_those_that_are_chosen_too() -> None:
    gone = ended()
    with idle_process() as pid:
        report = Job.of([pid, gone]).only(lambda process: True).migration(0, 0).run()
    assert list(report.reports) == [pid]
    assert list(report.failures) == [gone]


def test_what_is_no_cgroup(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"is no cgroup: name its folder"):
        Job.cgroup(str(tmp_path))


def test_a_cgroup_and_those_below(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for folder, text in ((tmp_path, "7\n0\n"), (tmp_path / "a", ""), (tmp_path / "a/b", "9\n8\n")):
        (folder / "cgroup.procs").write_text(text)
    rule = by_cgroup(str(tmp_path))
    assert sorted(rule()) == [7, 8, 9]
    report = Job.cgroup(str(tmp_path)).check(0, 0)
    assert (report.failures[0].reason, report.failures[0].pid) == ("namespace", None)
    assert "without a pid: 1 in " in str(report)
    (tmp_path / "a/b/cgroup.procs").unlink()
    assert sorted(rule()) == [7]
