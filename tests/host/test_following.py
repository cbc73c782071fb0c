"""Following where nothing has to move: how it waits, stops, ends; what is seen of threads."""

from __future__ import annotations

import math
import os
import signal
import threading
import time

import pytest
from support import requires
from support.credentials import NOBODY, become, set_dumpable
from support.pids import bury, mortal
from support.processes import idle_process, in_child

from pymigrate import (
    Cpuset,
    CpusetRefused,
    Followed,
    Follower,
    InvalidArgument,
    Job,
    NodeMask,
    NoSuchProcess,
    NotPermitted,
    _files,
    follow,
)
from pymigrate._checks import SECONDS_MAX
from pymigrate.jobs.bell import Bell
from pymigrate.kernel.threads import RecentCpus, allowed_cpus


def test_a_bell_rings_for_good() -> None:
    bell = Bell()
    assert not bell.wait(0)
    for _ in range(100_000):  # more than a pipe holds
        bell.ring()
    assert bell.wait(0)
    assert bell.wait(SECONDS_MAX)


def test_a_bell_is_heard_in_another_thread() -> None:
    bell = Bell()
    heard: list[bool] = []
    thread = threading.Thread(target=lambda: heard.append(bell.wait(3600)))
    thread.start()
    bell.ring()
    thread.join()
    assert heard == [True]


def test_it_ends_with_its_job() -> None:
    with mortal() as pid:
        job = Job.of([pid])

        def wait(seconds: float) -> bool:
            bury(pid)
            return False

        follow(job, wait=wait)
        assert job.pids() == []


@requires.root
def test_whom_it_leaves_out_is_told_once() -> None:
    def prepare() -> None:
        become(NOBODY)
        set_dumpable(True)

    def call(pids: list[int]) -> list[Followed]:
        become(NOBODY)
        turns = iter([(0.0, False), (math.inf, False), (0.0, False), (0.0, True)])

        def wait(seconds: float) -> bool:
            # As after a migration, nobody is looked at for a while.
            follower._may_move, last = next(turns)
            return last

        follower = Follower(Job.of(pids), wait=wait)
        return list(follower)

    with idle_process() as foreign, idle_process(prepare) as own:
        (event,) = in_child(lambda: call([foreign, own]))
        with pytest.raises(NotPermitted):
            in_child(lambda: call([foreign]))
    assert (event.kind, list(event.refused)) == ("refused", [foreign])
    assert f" pid {foreign}: not followed: " in str(event)
    assert event.to_dict()["refused"][0]["reason"] == "ptrace"


def test_it_is_stopped_by_a_signal_handler() -> None:
    with idle_process() as pid:
        follower = Follower(pid, interval=3600.0)
        before = signal.signal(signal.SIGALRM, lambda number, frame: follower.stop())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert list(follower) == []
        finally:
            signal.signal(signal.SIGALRM, before)


def test_who_is_stopped_before_does_not_begin() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    follower = Follower(os.getpid(), wait=wait)
    follower.stop()
    assert list(follower) == []
    assert waits == []


def test_a_threading_event_stops_it() -> None:
    done = threading.Event()
    done.set()
    with idle_process() as pid:
        follow(pid, wait=done.wait)


# -- a map for each process


def test_either_nodes_or_a_map_for_each_process() -> None:
    job = Job.of([os.getpid()])
    with pytest.raises(InvalidArgument, match="not both"):
        job.migration(0, 1, moves=lambda pid: {0: 1})
    asked: list[int] = []

    def moves(pid: int) -> dict[int, int]:
        asked.append(pid)
        return {0: 0}

    with idle_process() as one, idle_process() as two:
        report = Job.of([one, two]).migration(moves=moves, shared=False).run()
    assert sorted(asked) == sorted(report.reports) == sorted([one, two])
    assert report.complete
    assert report.total.moved == 0


# -- threads


def test_the_cpus_of_a_process_are_those_of_all_its_threads() -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("needs two CPUs")
    ready, done = threading.Event(), threading.Event()

    def live() -> None:
        os.sched_setaffinity(threading.get_native_id(), {cpus[1]})
        ready.set()
        done.wait()

    thread = threading.Thread(target=live)
    thread.start()
    ready.wait()
    os.sched_setaffinity(0, {cpus[0]})
    try:
        fields = _files.read_status_fields(os.getpid(), ["Threads", "Cpus_allowed_list"])
        assert int(fields[0]) >= 2
        found = allowed_cpus(os.getpid(), *fields)
        assert {str(cpus[0]), str(cpus[1])} <= found
    finally:
        os.sched_setaffinity(0, cpus)
        done.set()
        thread.join()


def test_the_cpus_that_were_used_lately() -> None:
    recent = RecentCpus()
    cpu = min(os.sched_getaffinity(0))
    everywhere = os.sched_getaffinity(0)
    pid = os.getpid()
    recent.of(pid)
    os.sched_setaffinity(0, {cpu})
    try:
        start = time.thread_time()
        while time.thread_time() - start < 0.1:
            pass
        assert cpu in recent.of(pid)
    finally:
        os.sched_setaffinity(0, everywhere)
    recent.keep([])
    assert recent.of(pid)


def test_who_has_not_run_since_is_where_it_was() -> None:
    with idle_process() as pid:
        recent = RecentCpus()
        first = recent.of(pid)
        assert len(first) == 1
        assert recent.of(pid) == first


def test_some_fields_of_a_status() -> None:
    whole = _files.read_status(0)
    names = ["Threads", "Cpus_allowed_list", "Mems_allowed"]
    assert _files.read_status_fields(0, names) == [whole[name] for name in names]
    with mortal() as pid:
        bury(pid)
        with pytest.raises(NoSuchProcess):
            _files.read_status_fields(pid, names)


@requires.root
def test_a_process_of_very_many_groups() -> None:
    """Its status is longer than what is read of most at once."""
    with idle_process(lambda: os.setgroups(range(2**31, 2**31 + 4000))) as pid:
        whole = _files.read_status(pid)
        assert len(whole["Groups"]) > 40_000
        names = ["Threads", "Mems_allowed"]
        assert _files.read_status_fields(pid, names) == [whole[name] for name in names]
        cpus = whole["Cpus_allowed_list"]
        assert allowed_cpus(pid, "several", cpus) == {cpus}
        assert f"Groups:\t{whole['Groups']}".encode() in _files.read_bytes(f"/proc/{pid}/status")


# -- cpusets, as this machine has them


def test_the_own_cpuset() -> None:
    try:
        found = Cpuset.of(0)
    except CpusetRefused as refused:
        pytest.skip(str(refused))
    assert found.effective_mems & NodeMask.has_memory() >= NodeMask.allowed()
    assert found.effective_cpus >= os.sched_getaffinity(0)
    assert Cpuset.read(found.folder) == found


def test_the_cpuset_of_nobody() -> None:
    with mortal() as pid:
        bury(pid)
        with pytest.raises(NoSuchProcess):
            Cpuset.of(pid)


def test_a_list_of_pids_is_one_of_processes() -> None:
    """Whoever gets the pid of one that has ended is no member."""
    with mortal() as pid:
        job = Job.of([pid, os.getpid()])
        assert job.pids() == sorted([pid, os.getpid()])
        bury(pid)
        assert job.pids() == [os.getpid()]
