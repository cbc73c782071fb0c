"""Whole jobs: every process is moved, also those that appear meanwhile, and shared pages once."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from support import numa, requires
from support.cpuset import cpuset, enter
from support.credentials import NOBODY, become, set_dumpable
from support.kinds import PAGE, Memory
from support.memory import Block, Target, target
from support.pids import bury, fork_a_twin, hold_still, mortal, reborn
from support.processes import in_child, servant

from pymigrate import Job, JobReport, NotPermitted, residency
from pymigrate.operations.ledger import Counts

psutil = pytest.importorskip("psutil", reason="psutil is missing: pip install pymigrate-numa[job]")

pytestmark = [requires.root, pytest.mark.numa, pytest.mark.usefixtures("calm")]

SOME = 1000


def check(report: JobReport) -> None:
    """The sums close for each process and for all."""
    for part in (*report.earlier, *report.reports.values()):
        assert part.total.closes(), part
        assert all(counts.closes() for counts in part.by_source.values()), part
        assert all(counts.closes() for counts in part.by_kind.values()), part
    assert report.total.closes()
    assert report.total.moved == sum(counts.moved for counts in report.by_source.values())


@contextmanager
def targets(count: int) -> Iterator[list[Target]]:
    with ExitStack() as stack:
        yield [stack.enter_context(target([0] * SOME)) for _ in range(count)]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_process_is_moved(workers: int) -> None:
    with targets(4) as processes:
        job = Job.of(process.pid for process in processes)
        report = job.migration(0, 2, workers=workers).run()
        assert sorted(report.reports) == job.pids()
        assert not any(residency(pid).pages(0) for pid in job.pids())
        for process in processes:
            assert process.counts() == {2: SOME}
            assert process.intact()
    assert report.complete
    assert report.settled
    assert report.total.moved >= 4 * SOME
    check(report)


def test_shared_memory_is_moved_once_and_counted_once() -> None:
    flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS

    def prepare() -> Memory:
        memory = Memory(0, SOME * PAGE, flags=flags)
        for _ in range(3):
            fork_a_twin(memory.intact)
        return memory

    with servant(prepare) as parent:
        job = Job.tree(parent.pid)
        pids = job.pids()
        report = job.migration(0, 2, workers=2).run()
        addresses = parent.ask(Memory.addresses)
        assert all(set(numa.nodes_of(pid, addresses)) == {2} for pid in pids)
        assert parent.ask(Memory.intact)
    assert len(pids) == 4
    assert report.complete
    moved = sum(part.by_kind.get("shared", Counts()).moved for part in report.reports.values())
    assert SOME <= moved < SOME + 100  # and what the test's own pipes share
    check(report)


CHILDREN = 200


def breed(block: Block) -> int:
    """A child that goes on forking; each of its children makes a page on node 0."""
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: SIGKILL
        for _ in range(CHILDREN):
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(1, 9)
                kept = Memory(0, PAGE)  # noqa: F841
                break
        while True:
            signal.pause()
    return pid


@pytest.mark.managed
def test_children_that_are_born_meanwhile() -> None:
    with target([0] * SOME) as process:
        job = Job.tree(process.pid)
        operation = job.migration(0, 2, workers=2)
        steps = iter(operation)
        next(steps)  # now the job is being moved
        process.process.ask(breed)
        for _ in steps:
            pass
        born = set(job.pids())
        assert len(born) > 2
        if len(born) == CHILDREN + 2:
            assert operation.report.settled
        while len(job.pids()) < CHILDREN + 2:
            time.sleep(0.01)
        for pid in job.pids():
            hold_still(pid)
        # Who was born after the last look, and what was touched after it, a settled job has not.
        report = job.migration(0, 2, workers=2).run()
        left = {pid: residency(pid).pages(0) for pid in job.pids()}
    assert len(report.reports) == CHILDREN + 2
    assert not any(left.values()), left
    assert report.complete
    check(report)
    check(operation.report)


def test_one_that_may_not_be_moved_stops_no_other() -> None:
    def call(pids: list[int]) -> JobReport:
        become(NOBODY)
        return Job.of(pids).migration(0, 2).run()

    with target([0] * SOME) as foreign, target([0] * SOME, traceable) as own:
        report = in_child(lambda: call([foreign.pid, own.pid]))
        assert own.counts() == {2: SOME}
        assert foreign.counts() == {0: SOME}
        failure = report.failures[foreign.pid]
    assert isinstance(failure, NotPermitted)
    assert failure.errno == errno.EPERM
    assert report.outcome == "done"
    assert not report.complete
    assert list(report.reports) == [own.pid]
    check(report)


def traceable() -> None:
    """Prepares a process of another user that the others of it may look into."""
    become(NOBODY)
    set_dumpable(True)


def test_one_that_ends_meanwhile_is_no_failure() -> None:
    with target([0] * SOME) as process, servant(lambda: Block([0] * SOME)) as mortal:
        job = Job.of([process.pid, mortal.pid])
        operation = job.migration(0, 2, workers=1, rate=SOME * PAGE * 4)
        steps = iter(operation)
        next(steps)
        os.kill(mortal.pid, 9)
        list(steps)
        assert process.counts() == {2: SOME}
    assert not operation.report.failures
    check(operation.report)


def on_the_old_node() -> Block:
    return Block([0] * SOME)


def test_who_gets_the_pid_of_a_member_is_no_member() -> None:
    with target([0] * SOME * 4) as process, mortal(on_the_old_node) as pid:
        operation = Job.of([process.pid, pid]).migration(0, 2, workers=1, rate=SOME * PAGE * 8)
        steps = iter(operation)
        next(steps)  # the bigger one is under way
        bury(pid)
        with reborn(pid, on_the_old_node):
            before = residency(pid)
            list(steps)
            assert residency(pid) == before
        assert process.counts() == {2: SOME * 4}
    assert list(operation.report.reports) == [process.pid]
    check(operation.report)


def test_members_that_have_had_the_same_pid_have_a_report_each() -> None:
    with cpuset("0-3") as group:

        def in_the_group() -> Block:
            enter(group)
            return on_the_old_node()

        last_in = target([0] * SOME * 8, lambda: enter(group))
        with mortal(in_the_group) as first, last_in as last:
            # The small one is soon dealt with, and the big one is not.
            operation = Job.cgroup(str(group)).migration(0, 2, workers=2, rate=SOME * PAGE * 9)
            steps = iter(operation)
            while next(steps).finished < 1:
                pass
            bury(first)
            with reborn(first, in_the_group):
                list(steps)
                assert residency(first).pages(0) == 0
            assert last.counts() == {2: SOME * 8}
    report = operation.report
    assert set(report.reports) == {first, last.pid}
    assert [part.pid for part in report.earlier] == [first]
    moved = [part.total.moved for part in (*report.earlier, *report.reports.values())]
    assert min(moved) >= SOME
    assert report.total.moved == sum(moved)
    assert len(report.to_dict()["processes"]) == 3
    check(report)


def test_cancelled_as_a_whole() -> None:
    with targets(4) as processes:
        job = Job.of(process.pid for process in processes)
        operation = job.migration(0, 2, workers=1, rate=SOME * PAGE)
        for progress in operation:
            assert progress.processes == 4
            operation.cancel()
        report = operation.report
        assert all(process.intact() for process in processes)
    assert report.outcome == "cancelled"
    assert len(report.not_begun) + len(report.reports) == 4
    assert len(report.not_begun) >= 2
    assert not report.complete
    check(report)


@requires.swap
def test_evicted_as_a_whole() -> None:
    with targets(3) as processes:
        job = Job.of(process.pid for process in processes)
        report = job.eviction(0, 1).run()
        for process in processes:
            assert process.counts() == {}
            assert process.intact()
    assert report.total.moved >= 3 * SOME
    check(report)
