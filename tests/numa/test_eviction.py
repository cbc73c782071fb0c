"""Eviction: what lies on the old nodes leaves memory, and every page is accounted for."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import numa, requires, seccomp
from support.accounts import check_idle, check_sums
from support.cpuset import enter, memory_cgroup
from support.credentials import CAP_SYS_PTRACE, NOBODY, become, keep_capabilities, set_dumpable
from support.kinds import HUGE, HUGE_PAGES, MAP_HUGETLB, PAGE, Memory, huge_page_pool
from support.memory import Block, target
from support.pids import fork_a_twin, hold_still, kill, mortal
from support.processes import in_child, servant
from support.syscalls import PROCESS_MADVISE

from pymigrate import (
    Eviction,
    NoSwap,
    NotPermitted,
    NoUserMemory,
    Unsupported,
    check_eviction,
    evict,
    topology,
)
from pymigrate.kernel.resident import residency
from pymigrate.kernel.vma import vmas
from pymigrate.operations.report import Progress, Report

pytestmark = [requires.root, requires.swap, pytest.mark.usefixtures("calm")]

MIB = 1 << 20
SOME = 1000
ABSENT = -errno.ENOENT


def evicted(pid: int, *nodes: Any, **wishes: Any) -> Report:
    """From an idle process; the sums close, and residency agrees with them."""
    hold_still(pid)
    report = Eviction(pid, *nodes, **wishes).run()
    check_idle(report)
    return report


# -- what leaves, and where it comes back


def test_a_thread_stands_for_its_process() -> None:
    """And not for the caller, whose memory is at the same addresses here."""

    def start() -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    with target([0] * SOME, start) as process:
        hold_still(process.pid)
        (thread,) = {int(name) for name in os.listdir(f"/proc/{process.pid}/task")} - {process.pid}
        swapped = residency(os.getpid()).swapped
        report = Eviction(thread, 0, ()).run()
        assert set(process.nodes()) == {ABSENT}
        assert residency(os.getpid()).swapped == swapped
        assert process.intact()
    check_sums(report)
    assert report.methods == ("process_madvise",)
    assert report.total.moved >= SOME


def test_pages_come_back_where_the_process_then_runs() -> None:
    pages = 64 * MIB // PAGE
    cpus = {node: topology()[node].cpus for node in (0, 1)}
    with target([0] * pages, lambda: os.sched_setaffinity(0, cpus[0])) as process:
        policies = [(vma.start, str(vma.policy)) for vma in vmas(process.pid)]
        report = evicted(process.pid, 0, 1)
        assert process.nodes() == [ABSENT] * pages
        assert report.by_kind["anonymous"].moved >= pages
        assert report.after is not None
        assert report.after.swapped >= pages * PAGE
        os.sched_setaffinity(process.pid, cpus[1])
        assert process.intact()  # reads every byte
        assert process.counts() == {1: pages}
        assert [(vma.start, str(vma.policy)) for vma in vmas(process.pid)] == policies


def test_only_what_is_on_old_and_not_on_new() -> None:
    layout = [0, 1, 2] * 700 + [0] * 300 + [1] * 300 + [2] * 300
    with target(layout) as process:
        report = evicted(process.pid, "0-1", "1,3")
        assert process.nodes() == [node or ABSENT for node in layout]
        assert process.intact()
    assert (report.sources, report.moves, report.action) == ((0,), {}, "evict")
    assert report.methods == ("process_madvise",)
    assert report.by_source[0].moved >= layout.count(0)
    assert report.by_source[1].already_there >= layout.count(1)


def test_nothing_has_to_leave() -> None:
    with target([0] * SOME) as process:
        report = evicted(process.pid, "0-1", "0-3")
        assert process.counts() == {0: SOME}
    assert report.complete
    assert report.steps == 0


def test_the_number_of_pages_that_stayed() -> None:
    with servant(lambda: Memory(0, SOME * PAGE)) as child:
        child.ask(Memory.lock)
        hold_still(child.pid)
        left = evict(child.pid, 0, 1)
        assert left >= SOME  # and what it shares with its parent
        assert left == residency(child.pid).pages(0)


def test_the_own_process() -> None:
    def own() -> tuple[Report, bool, int]:
        become(NOBODY)  # it takes no privilege, but to be dumpable
        set_dumpable(True)
        block = Block([2] * SOME)
        report = Eviction(0, 2, ()).run()
        left = sum(node == 2 for node in numa.nodes_of(0, block.addresses))
        return report, block.intact(), left

    report, intact, left = in_child(own)
    assert (intact, left, report.methods) == (True, 0, ("madvise",))
    check_sums(report)


@pytest.mark.parametrize("workers", [1, 3])
def test_huge_pages_are_split_or_leave_whole(workers: int) -> None:
    with servant(lambda: Memory(0, 8 * HUGE, advice=mmap.MADV_HUGEPAGE)) as child:
        evicted(child.pid, 0, 1, workers=workers)
        assert set(numa.nodes_of(child.pid, child.ask(Memory.addresses))) == {ABSENT}
        assert child.ask(Memory.intact)


# -- what stays, and why


def test_locked_memory_stays() -> None:
    with servant(lambda: Memory(0, SOME * PAGE)) as child:
        child.ask(Memory.lock)
        report = evicted(child.pid, 0, 1)
        assert numa.numa_map(child.pid, child.ask(Memory.addresses)[0]).pages == {0: SOME}
    assert report.by_kind["anonymous"].left["locked"] == SOME


@pytest.mark.parametrize("locked", ["lower", "upper", "middle"])
def test_what_lies_beside_locked_memory_leaves(locked: str) -> None:
    first = {"lower": 0, "upper": 500, "middle": 250}[locked]

    def prepare() -> Memory:
        memory = Memory(0, SOME * PAGE)
        memory.lock(first * PAGE, 500 * PAGE)
        return memory

    with servant(prepare) as child:
        report = evicted(child.pid, 0, 1)
        there = numa.nodes_of(child.pid, child.ask(Memory.addresses))
        assert child.ask(Memory.intact)
    assert [i for i, node in enumerate(there) if node == 0] == list(range(first, first + 500))
    assert report.by_kind["anonymous"].left["locked"] == 500
    assert report.total.vanished == 0


def test_huge_pages_of_a_pool_stay() -> None:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    with huge_page_pool(0, 2), servant(lambda: Memory(0, 2 * HUGE, flags=flags)) as child:
        report = evicted(child.pid, 0, 1)
        assert child.ask(Memory.intact)
    assert report.by_kind["hugetlb"].left == {"hugetlb": 2 * HUGE_PAGES}


def test_shared_memory_of_one_process_leaves_and_that_of_two_stays() -> None:
    flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS

    def prepare() -> Memory:
        memory = Memory(0, SOME * PAGE, flags=flags)
        fork_a_twin(memory.intact)
        return memory

    with servant(lambda: Memory(0, SOME * PAGE, flags=flags)) as child:
        report = evicted(child.pid, 0, 1)
        assert child.ask(Memory.intact)
    assert report.by_kind["shared"].moved >= SOME
    with servant(prepare) as child:
        report = evicted(child.pid, 0, 1)
        assert child.ask(Memory.intact)
    assert report.by_kind["shared"].left["shared"] >= SOME


@contextmanager
def _file(pages: int) -> Iterator[int]:
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.truncate(pages * PAGE)
        yield file.fileno()


def test_private_copies_of_file_pages_need_swap() -> None:
    with (
        _file(SOME) as file,
        servant(lambda: Memory(0, SOME * PAGE, flags=mmap.MAP_PRIVATE, file=file)) as child,
    ):
        report = evicted(child.pid, 0, 1, without_swap=True)
        assert report.by_kind["file"].left["no-swap"] >= SOME
        report = evicted(child.pid, 0, 1)
        assert report.by_kind["file"].moved >= SOME
        assert child.ask(Memory.intact)


def test_without_swap_only_what_needs_none_leaves() -> None:
    with target([0] * SOME) as process:
        report = evicted(process.pid, 0, 1, without_swap=True)
        assert process.counts() == {0: SOME}
        assert report.after is not None
        assert report.after.swapped == 0
    assert report.by_kind["anonymous"].left["no-swap"] >= SOME
    assert report.by_kind["anonymous"].moved == 0


# -- swap


def test_too_little_swap_is_refused_before_anything_is_touched() -> None:
    with target([0] * (300 * MIB // PAGE)) as process:
        with pytest.raises(NoSwap, match=r"have to go to swap, which has room for") as refused:
            evict(process.pid, 0, 1)
        assert process.counts() == {0: 300 * MIB // PAGE}
    assert (refused.value.errno, refused.value.reason) == (errno.ENOSPC, "no-swap")
    assert refused.value.pid == process.pid


def test_swap_that_fills_up_midway() -> None:
    pages = 64 * MIB // PAGE
    with target([0] * pages) as process, target([2] * (200 * MIB // PAGE)) as filler:
        eviction = Eviction(process.pid, 0, 1, rate=64 * MIB * 5, retries=0)
        steps = iter(eviction)
        next(steps)
        filler.page_out(200 * MIB // PAGE)
        seen: list[Progress] = list(steps)
        report = eviction.report
        there = process.nodes()
        assert process.intact()
    assert seen
    assert report.outcome == "done"
    assert 0 < report.total.moved < pages
    assert report.by_kind["anonymous"].left["no-swap"] == pytest.approx(there.count(0), abs=SOME)
    check_sums(report)


# -- refusals and faults


def test_another_user_may_not() -> None:
    def call(pid: int) -> int:
        become(NOBODY)
        return evict(pid, 0, 1)

    with target([0] * SOME) as process:
        with pytest.raises(NotPermitted) as refused:
            in_child(lambda: call(process.pid))
        assert process.counts() == {0: SOME}
    assert (refused.value.errno, refused.value.reason) == (errno.EPERM, "ptrace")


def test_without_the_privilege() -> None:
    def call(pid: int) -> int:
        keep_capabilities(CAP_SYS_PTRACE)
        return evict(pid, 0, 1)

    with target([0] * SOME) as process:
        with pytest.raises(NotPermitted, match="CAP_SYS_NICE") as refused:
            in_child(lambda: call(process.pid))
        assert process.counts() == {0: SOME}
    assert (refused.value.errno, refused.value.reason) == (errno.EPERM, "privilege")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSYS, Unsupported), (errno.EPERM, NotPermitted)]
)
def test_a_filtered_call(number: int, kind: type[Exception]) -> None:
    def call(pid: int) -> int:
        seccomp.refuse(number, PROCESS_MADVISE)
        return evict(pid, 0, 1)

    with target([0] * SOME) as process:
        with pytest.raises(kind, match="process_madvise"):
            in_child(lambda: call(process.pid))
        assert process.counts() == {0: SOME}


def test_a_kernel_thread() -> None:
    with pytest.raises(NoUserMemory):
        evict(2, 0, 1)


def test_a_target_that_dies_midway() -> None:
    with mortal(lambda: Block([0] * 8 * SOME)) as pid:
        eviction = Eviction(pid, 0, 1, rate=10 * SOME * PAGE)
        steps = iter(eviction)
        next(steps)
        kill(pid)
        list(steps)
    assert eviction.report.outcome == "ended"
    assert eviction.report.after is None
    check_sums(eviction.report)


def test_cancelled_midway() -> None:
    with target([0] * 8 * SOME) as process:
        eviction = Eviction(process.pid, 0, 1, rate=10 * SOME * PAGE)
        for _ in eviction:
            if ABSENT in process.nodes():
                eviction.cancel()
        report = eviction.report
        gone = process.nodes().count(ABSENT)
        assert process.intact()
    assert report.outcome == "cancelled"
    assert 0 < gone < 8 * SOME
    assert report.total.left["not-tried"] >= 8 * SOME - gone
    check_sums(report)


# -- pages of files, and what the cgroup allows


def _file_that_nobody_maps(least: int) -> Path:
    """A large file of the system that no process has mapped."""
    mapped = {
        line.split()[-1]
        for maps in Path("/proc").glob("[0-9]*/maps")
        for line in maps.read_text().splitlines()
    }
    for folder in ("/usr/lib", "/usr/bin", "/usr/share"):
        for path in Path(folder).rglob("*"):
            if path.is_file() and path.stat().st_size >= least and str(path) not in mapped:
                return path
    pytest.skip(f"there is no file of {least >> 20} MiB in /usr that nobody maps")


def test_clean_pages_of_files_leave_without_swap() -> None:
    path = _file_that_nobody_maps(4 * MIB)

    def prepare() -> mmap.mmap:
        with path.open("rb") as file, numa.policy(numa.BIND, {0}):
            held = mmap.mmap(file.fileno(), 4 * MIB, prot=mmap.PROT_READ)
            assert sum(held[::PAGE]) >= 0  # each page is there now
        return held

    def pages(pid: int) -> dict[int, int]:
        (found,) = (vma for vma in vmas(pid) if vma.path == str(path.resolve()))
        return found.pages

    with servant(prepare) as child:
        there = pages(child.pid)
        report = evicted(child.pid, "0-3", (), without_swap=True)
        assert sum(there.values()) == 4 * MIB // PAGE
        assert pages(child.pid) == {}
    assert report.by_kind["file"].moved >= 4 * MIB // PAGE


def test_a_cgroup_that_may_swap_little() -> None:
    # Pages belong to the cgroup in which they were touched first, so it is entered before.
    with memory_cgroup() as group, target([0] * SOME, lambda: enter(group)) as process:
        (group / "memory.swap.max").write_text("1M")
        with pytest.raises(NoSwap, match=r"room for 1\.0 MiB"):
            evict(process.pid, 0, 1)
        assert process.counts() == {0: SOME}
        verdicts = {v.name: v for v in check_eviction(process.pid, 0, 1).verdicts}
        assert verdicts["swap"].state == "refused"
        assert "as far as its cgroup allows" in verdicts["swap"].finding
        (group / "memory.swap.max").write_text("64M")
        assert check_eviction(process.pid, 0, 1)
        assert evicted(process.pid, 0, 1).by_kind["anonymous"].moved >= SOME


def test_verdicts_of_a_machine_with_zram() -> None:
    cpus = topology()[0].cpus
    with target([0] * SOME, lambda: os.sched_setaffinity(0, cpus)) as process:
        found = {v.name: v for v in check_eviction(process.pid, 0, 1).verdicts}
        assert process.counts() == {0: SOME}
    assert (found["swap"].state, found["zram"].state, found["cpus"].state) == (
        "ok",
        "warning",
        "warning",
    )
    assert "/dev/zram0" in found["zram"].finding
    assert "node 0" in found["cpus"].finding
