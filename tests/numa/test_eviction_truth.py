"""What an eviction says of pages that have left the process, and not memory."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Callable

import pytest
from support import requires
from support.accounts import check_sums
from support.cpuset import enter, memory_cgroup
from support.credentials import CAP_SYS_NICE, CAP_SYS_PTRACE, keep_capabilities
from support.disks import disk, swap_on_disk
from support.kinds import PAGE, Memory, Pinned
from support.memory import target
from support.pids import fork_a_twin, hold_still
from support.processes import in_child, servant

from pymigrate import Eviction, NoSwap, check_eviction, topology
from pymigrate.operations.exits import Exits
from pymigrate.operations.report import Report
from pymigrate.operations.swap_need import need_of_swap

pytestmark = [requires.root, requires.swap, pytest.mark.usefixtures("calm")]

MIB = 1 << 20
SOME = 1000
MANY = 24 * MIB // PAGE  # much more than a child has besides
HELD = 16  # as many pages as wait in a pipe
SHARED = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS


def evicted(pid: int, old: str = "0", **wishes: int) -> Report:
    """Of a process that stands still."""
    hold_still(pid)
    report = Eviction(pid, old, (), **wishes).run()  # type: ignore[arg-type]
    check_sums(report)
    assert report.appeared == 0
    return report


def mapped_file(path: Path, *, written: bool) -> Callable[[], Memory]:
    """Makes memory of a file, in the process that maps it."""

    def prepare() -> Memory:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.truncate(file, SOME * PAGE)
        memory = Memory(0, SOME * PAGE, flags=mmap.MAP_SHARED, file=file)
        if written:
            os.fsync(file)
        return memory

    return prepare


# -- pages of files, which wait to be written


def test_file_pages_leave_when_they_are_written(tmp_path: Path) -> None:
    with disk(tmp_path) as folder:
        with servant(mapped_file(folder / "clean", written=True)) as child:
            report = evicted(child.pid)
            assert not any(child.ask(Memory.in_memory))
            assert report.by_kind["file"].moved >= SOME
            assert "writeback" not in report.total.left
            assert child.ask(Memory.intact)
        with servant(mapped_file(folder / "dirty", written=False)) as child:
            report = evicted(child.pid, retries=0)
            assert all(child.ask(Memory.in_memory))
            assert report.by_kind["file"].left["writeback"] == SOME
            assert not report.complete
            assert child.ask(Memory.intact)  # maps them again
            os.sync()
            report = evicted(child.pid, "0-3")
            assert not any(child.ask(Memory.in_memory))
            assert "writeback" not in report.total.left
            assert child.ask(Memory.intact)


def test_file_pages_that_are_written_meanwhile_leave_at_a_retry(tmp_path: Path) -> None:
    with disk(tmp_path) as folder:
        with servant(mapped_file(folder / "file", written=False)) as child:
            hold_still(child.pid)
            eviction = Eviction(child.pid, 0, 1)
            for _ in eviction:
                os.sync()  # after the first step
            assert eviction.report.by_kind["file"].moved >= SOME
            assert "writeback" not in eviction.report.total.left
            assert not any(child.ask(Memory.in_memory))
            assert child.ask(Memory.intact)
        check_sums(eviction.report)


# -- shared memory, which swap has no room for


def test_shared_memory_and_swap_that_fills_up_midway() -> None:
    pages = 64 * MIB // PAGE
    with (
        servant(lambda: Memory(0, 64 * MIB, flags=SHARED)) as child,
        target([2] * (200 * MIB // PAGE)) as filler,
    ):
        hold_still(child.pid)
        eviction = Eviction(child.pid, 0, 1, rate=64 * MIB * 5, retries=0)
        steps = iter(eviction)
        next(steps)
        filler.page_out(200 * MIB // PAGE)
        list(steps)
        there = sum(child.ask(Memory.in_memory))
        assert child.ask(Memory.intact)
    report = eviction.report
    check_sums(report)
    assert 0 < there < pages
    counts = report.by_kind["shared"]
    assert counts.moved == pytest.approx(pages - there, abs=64)
    assert counts.left["no-swap"] == pytest.approx(there, abs=64)


def test_pages_leave_for_swap_that_takes_its_time(tmp_path: Path) -> None:
    with swap_on_disk(tmp_path), servant(lambda: Memory(0, SOME * PAGE)) as child:
        report = evicted(child.pid, retries=0)
        there = sum(child.ask(Memory.in_memory))
        assert there
        assert report.by_kind["anonymous"].left_behind >= there
        assert child.ask(Memory.intact)  # maps them again, where the process runs
        report = evicted(child.pid, "0-3")
        assert not any(child.ask(Memory.in_memory))
        assert report.by_kind["anonymous"].moved >= SOME
        assert child.ask(Memory.intact)


# -- pages that something holds


@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, SHARED])
def test_pages_that_are_in_use_by_the_kernel_stay(flags: int) -> None:
    with servant(lambda: Pinned(0, SOME * PAGE, HELD, flags=flags)) as child:
        report = evicted(child.pid)
        assert child.ask(Memory.in_memory) == [True] * HELD + [False] * (SOME - HELD)
        assert report.total.left["busy"] == HELD
        child.ask(Pinned.release)
        assert child.ask(Memory.intact)
        # It came back where the process runs.
        assert set(evicted(child.pid, "0-3").total.left) <= {"shared"}
        assert not any(child.ask(Memory.in_memory))


def test_the_own_pages_that_are_in_use_by_the_kernel_stay() -> None:
    def own() -> tuple[Report, list[bool]]:
        keep_capabilities()
        memory = Pinned(2, SOME * PAGE, HELD)
        report = Eviction(0, 2, ()).run()
        return report, memory.in_memory()

    report, there = in_child(own)
    assert there == [True] * HELD + [False] * (SOME - HELD)
    # Pages of its interpreter there, which uses them at once, may be among them.
    assert report.before is not None
    others = report.before.pages(2, "anonymous") - SOME
    assert HELD <= report.by_kind["anonymous"].left["busy"] <= HELD + others
    check_sums(report)


def test_pages_that_wait_on_another_processor_leave_at_once() -> None:
    here, there = (topology()[node].cpus for node in (0, 2))

    def call(pid: int) -> Report:
        os.sched_setaffinity(0, here)
        return evicted(pid, retries=0)

    for _ in range(5):
        with target([0] * SOME, lambda: os.sched_setaffinity(0, there)) as process:
            report = in_child(lambda: call(process.pid))
            assert "busy" not in report.total.left


# -- what cannot be seen


def test_who_may_not_look_does_not_claim_that_pages_are_gone() -> None:
    def call(pid: int) -> Report:
        keep_capabilities(CAP_SYS_PTRACE, CAP_SYS_NICE)
        return evicted(pid)

    with target([0] * SOME) as process:
        report = in_child(lambda: call(process.pid))
        assert set(process.nodes()).isdisjoint(range(4))
        assert process.intact()
    assert report.by_kind["anonymous"].left["unseen"] >= SOME
    assert report.by_kind["anonymous"].moved == 0
    assert not report.complete
    assert "unseen" in str(report)


# -- what needs swap


def test_private_copies_of_file_pages_are_weighed_against_swap(tmp_path: Path) -> None:
    with disk(tmp_path) as folder, memory_cgroup() as group:
        path = folder / "file"
        path.write_bytes(bytes(MANY * PAGE))

        def prepare() -> Memory:
            enter(group)
            file = os.open(path, os.O_RDWR)
            return Memory(0, MANY * PAGE, flags=mmap.MAP_PRIVATE, file=file)

        with servant(prepare) as child:
            (group / "memory.swap.max").write_text("16M")
            assert not check_eviction(child.pid, 0, 1)
            with pytest.raises(NoSwap, match=r"room for 16\.0 MiB"):
                evicted(child.pid)
            assert all(child.ask(Memory.in_memory))


def _share(memory: Memory) -> None:
    fork_a_twin(memory.intact)


@pytest.mark.parametrize(("keep", "reason"), [(Memory.lock, "locked"), (_share, "shared")])
def test_what_stays_anyway_needs_no_swap(keep: Callable[[Memory], None], reason: str) -> None:
    with memory_cgroup() as group:

        def prepare() -> Memory:
            enter(group)
            return Memory(0, MANY * PAGE)

        with servant(prepare) as child:
            before = need_of_swap(child.pid, Exits(0, 1))
            child.ask(keep)
            after = need_of_swap(child.pid, Exits(0, 1))
            assert after <= before - 0.9 * MANY * PAGE
            (group / "memory.swap.max").write_text(f"{after + MANY * PAGE // 2}")
            verdicts = {v.name: v.state for v in check_eviction(child.pid, 0, 1).verdicts}
            assert verdicts["swap"] == "ok"
            assert evicted(child.pid).by_kind["anonymous"].left[reason] >= MANY
