"""Whole jobs: every process is moved, also those that appear meanwhile, and shared pages once."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from support import numa, requires
from support.cpuset import cpuset, enter, memory_cgroup
from support.credentials import NOBODY, become, set_dumpable
from support.kinds import PAGE, Memory
from support.memory import Block, Target, target
from support.pids import bury, fork_a_twin, hold_still, mortal, reborn
from support.processes import Servant, in_child, servant

from pymigrate import Job, JobReport, NoSwap, NotPermitted, check, check_eviction, residency
from pymigrate.launchers.here import do_here
from pymigrate.launchers.wish import Wish
from pymigrate.operations.ledger import Counts
from pymigrate.operations.verdicts import Verdict

psutil = pytest.importorskip("psutil", reason="psutil is missing: pip install pymigrate-numa[job]")

pytestmark = [requires.root, pytest.mark.numa, pytest.mark.usefixtures("calm")]

MIB = 1 << 20
SOME = 1000


def check_sums(report: JobReport) -> None:
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
    check_sums(report)


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
    check_sums(report)


@contextmanager
def relatives(pages: int) -> Iterator[tuple[int, Servant[Memory]]]:
    """Four processes that share memory on node 0, and one of them."""

    def prepare() -> Memory:
        memory = Memory(0, pages * PAGE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        for _ in range(3):
            fork_a_twin(memory.intact)
        return memory

    with servant(prepare) as parent:
        yield parent.pid, parent


def test_progress_goes_on_and_counts_shared_memory_once() -> None:
    pages = 40 * MIB // PAGE
    with relatives(pages) as (pid, parent):
        operation = Job.tree(pid).migration(0, 2, workers=2, rate=60 * MIB)
        start = time.monotonic()
        seen = []
        for step in operation:
            elapsed = time.monotonic() - start
            seen.append(step)
        assert set(numa.nodes_of(pid, parent.ask(Memory.addresses))) == {2}
    report = operation.report
    for one, next_one in zip(seen, seen[1:]):
        assert one.done <= next_one.done <= next_one.total
        assert one.total <= next_one.total
        assert one.finished <= next_one.finished
    assert pages * PAGE <= seen[0].total < 2 * pages * PAGE
    half = next(step for step in seen if step.done > pages * PAGE // 2)
    assert half.done < half.total * 0.9, "the pages that are shared come little by little"
    assert seen[-1].rate * elapsed == pytest.approx(report.total.moved * PAGE, rel=0.1)
    check_sums(report)


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
    check_sums(report)
    check_sums(operation.report)


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
    check_sums(report)


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
    check_sums(operation.report)


def waited_for(pid: int) -> bool:
    """Waits for the end of a process that is no child."""
    end = os.pidfd_open(pid)
    try:
        return bool(select.select([end], [], [], 60)[0])
    finally:
        os.close(end)


def test_one_that_ends_before_the_pages_that_it_shares_come() -> None:
    with relatives(SOME) as (pid, _):
        mortal = max(Job.tree(pid).pids())
        operation = Job.tree(pid).migration(0, 2, workers=2)
        for step in operation:
            if step.finished == 4:
                psutil.Process(mortal).kill()
                assert waited_for(mortal)
    report = operation.report
    assert report.reports[mortal].outcome == "ended"
    assert report.complete
    check_sums(report)


def on_the_old_node() -> Block:
    return Block([0] * SOME)


def test_who_gets_the_pid_of_a_member_is_no_member() -> None:
    with target([0] * SOME * 4) as process, mortal(on_the_old_node) as pid:
        operation = Job.of([process.pid, pid]).migration(0, 2, workers=1, rate=SOME * PAGE * 8)
        steps = iter(operation)
        next(steps)  # the bigger one is under way
        bury(pid)
        with reborn(pid, on_the_old_node):
            list(steps)
            assert residency(pid).pages(0) >= SOME
        assert process.counts() == {2: SOME * 4}
    assert list(operation.report.reports) == [process.pid]
    check_sums(operation.report)


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
    check_sums(report)


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
    check_sums(report)


# -- what all of them need together


def test_there_has_to_be_room_for_all_of_them() -> None:
    pages = numa.free_memory(2) * 6 // 10 // PAGE
    with target([0] * pages) as one, target([1] * pages) as two:
        job = Job.of([one.pid, two.pid])
        alone = [check(pid, "0-1", 2) for pid in job.pids()]
        found = job.check("0-1", 2)
        (host,) = do_here(job, Wish("check", "0-1", 2)).hosts
    assert [state_of(part.verdicts, "free-memory") for part in alone] == ["ok", "ok"]
    assert state_of(found.verdicts, "free-memory") == "warning"
    assert "node 2 has " in str(found)
    assert found  # a warning is no refusal
    assert (host.outcome, host.finding.startswith("free-memory: node 2 has ")) == ("done", True)


def test_room_for_what_they_share_is_needed_once() -> None:
    pages = numa.free_memory(2) * 3 // 10 // PAGE
    with relatives(pages) as (pid, _):
        found = Job.tree(pid).check(0, 2)
    assert len(found.processes) == 4
    assert state_of(found.verdicts, "free-memory") == "ok"


def state_of(verdicts: Iterable[Verdict], name: str) -> str:
    (state,) = [verdict.state for verdict in verdicts if verdict.name == name]
    return state


@requires.swap
def test_swap_has_to_do_for_all_of_them() -> None:
    pages = 140 * MIB // PAGE  # of 256 MiB of swap
    with target([0] * pages) as one, target([0] * pages) as two:
        job = Job.of([one.pid, two.pid])
        assert all(check_eviction(pid, 0, 1) for pid in job.pids())
        found = job.check_eviction(0, 1)
        assert not found
        assert state_of(found.verdicts, "swap") == "refused"
        (host,) = do_here(job, Wish("check-eviction", 0, 1)).hosts
        assert (host.outcome, host.troubled) == ("refused", 0)
        assert "from all processes together, which has room" in host.finding
        assert job.check_eviction(0, 1, without_swap=True)
        with pytest.raises(NoSwap, match=r"from all processes together, which has room") as refused:
            job.eviction(0, 1).run()
        assert (one.counts(), two.counts()) == ({0: pages}, {0: pages})
    assert (refused.value.pid, refused.value.reason) == (None, "no-swap")
    assert str(refused.value).startswith("the job, nodes 0 -> 1: ")


@requires.swap
def test_what_a_cgroup_may_swap_has_to_do_for_all_in_it() -> None:
    with memory_cgroup() as group:
        (group / "memory.swap.max").write_text(str(140 * MIB))

        def member() -> AbstractContextManager[Target]:
            return target([0] * (90 * MIB // PAGE), lambda: enter(group))

        with member() as one, member() as two:
            job = Job.of([one.pid, two.pid])
            with pytest.raises(NoSwap, match=rf"go to swap from {group}, which has room for"):
                job.eviction(0, 1).run()
            assert one.counts() == two.counts() == {0: 90 * MIB // PAGE}
            assert Job.of([one.pid]).eviction(0, 1).run().total.moved >= 90 * MIB // PAGE


@requires.swap
def test_evicted_as_a_whole() -> None:
    with targets(3) as processes:
        job = Job.of(process.pid for process in processes)
        report = job.eviction(0, 1).run()
        for process in processes:
            assert process.counts() == {}
            assert process.intact()
    assert report.total.moved >= 3 * SOME
    check_sums(report)
