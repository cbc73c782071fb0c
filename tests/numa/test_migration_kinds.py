"""Migration of memory of every kind: what can move does, and of the rest it says why not."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest
from support import numa, requires
from support.accounts import check_idle, check_sums
from support.credentials import NOBODY, become, set_dumpable
from support.kinds import (
    HUGE,
    HUGE_PAGES,
    MADV_MERGEABLE,
    MAP_HUGETLB,
    PAGE,
    Memory,
    Pinned,
    huge_page_pool,
    setting,
)
from support.memory import target
from support.pids import fork_a_twin, hold_still
from support.processes import Servant, as_user, servant

from pymigrate.kernel.resident import residency
from pymigrate.operations import action
from pymigrate.operations.migration import Migration
from pymigrate.operations.report import Progress, Report

pytestmark = [pytest.mark.managed, pytest.mark.numa, pytest.mark.usefixtures("calm")]

SOME = 1000
# Python has it since 3.13; include/uapi/asm-generic/mman.h.
MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def watched(pid: int, **wishes: Any) -> Report:
    """From node 0 to node 1, step by step."""
    hold_still(pid)
    return Migration(pid, 0, 1, **wishes).run(lambda _: None)


def direct(pid: int, **wishes: Any) -> Report:
    """From node 0 to node 1, in one call."""
    hold_still(pid)
    return Migration(pid, 0, 1, **wishes).run()


BOTH = pytest.mark.parametrize("migrate", [watched, direct])


def nodes(child: Servant[Any]) -> list[int]:
    """The node of each page of its memory; a negative errno for what is on none."""
    return numa.nodes_of(child.pid, child.ask(Memory.addresses))


def counts(child: Servant[Any]) -> dict[int, int]:
    """Pages of its memory by node."""
    return Counter(nodes(child))


# -- huge pages


@BOTH
def test_transparent_huge_pages(migrate: Callable[[int], Report]) -> None:
    with servant(lambda: Memory(0, 8 * HUGE, advice=mmap.MADV_HUGEPAGE)) as child:
        assert residency(child.pid, thp=True).thp == 8 * HUGE
        report = migrate(child.pid)
        assert counts(child) == {1: 8 * HUGE_PAGES}
        assert residency(child.pid, thp=True).thp == 8 * HUGE
        assert child.ask(Memory.intact)
    assert report.complete
    check_idle(report)


@BOTH
def test_a_huge_page_that_is_mapped_in_part(migrate: Callable[[int], Report]) -> None:
    with servant(lambda: Memory(0, 4 * HUGE, advice=mmap.MADV_HUGEPAGE)) as child:
        child.ask(Memory.unmap, HUGE // 2, HUGE)  # half of the first, half of the second
        child.ask(Memory.protect, 2 * HUGE, PAGE, mmap.PROT_READ)  # split, and all there
        report = migrate(child.pid)
        found = nodes(child)
    half = HUGE_PAGES // 2
    assert found[:half] == [1] * half
    assert all(node < 0 for node in found[half : 3 * half])
    assert found[3 * half :] == [1] * (5 * half)
    assert report.complete
    check_idle(report)


class Unwritten:
    """Memory in huge pages that is only read: the kernel has one huge page of zeros for all."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, 5 * HUGE, PRIVATE)
        self._map.madvise(mmap.MADV_HUGEPAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = -(-start // HUGE) * HUGE
        assert not any(ctypes.string_at(self.address, 4 * HUGE))

    def where(self) -> int:
        """Its address."""
        return self.address


@requires.root
def test_the_huge_page_of_zeros_is_on_no_node() -> None:
    """Neither is it counted, wherever its frame is."""
    with servant(Unwritten) as child:
        place = child.ask(Unwritten.where)
        with open(f"/proc/{child.pid}/pagemap", "rb") as pagemap:
            pagemap.seek(place // PAGE * 8)
            entry = int.from_bytes(pagemap.read(8), sys.byteorder)
        assert entry >> 63
        hold_still(child.pid)
        report = Migration(child.pid, moves={0: 1, 1: 2, 2: 3, 3: 0}).run(lambda _: None)
    assert report.total.vanished == 0
    check_idle(report)


def test_one_step_takes_a_huge_page_at_least() -> None:
    with servant(lambda: Memory(0, 2 * HUGE, advice=mmap.MADV_HUGEPAGE)) as child:
        report = Migration(child.pid, 0, 1, rate=HUGE * 10).run()
        assert residency(child.pid, thp=True).thp == 2 * HUGE
        assert counts(child) == {1: 2 * HUGE_PAGES}
    check_sums(report)


@BOTH
@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED], ids=["private", "shared"])
def test_hugetlb(flags: int, migrate: Callable[[int], Report]) -> None:
    # The target's pool may be empty: the kernel lends pages for a migration.
    with (
        huge_page_pool(0, 4),
        servant(
            lambda: Memory(0, 4 * HUGE, flags=flags | mmap.MAP_ANONYMOUS | MAP_HUGETLB)
        ) as child,
    ):
        report = migrate(child.pid)
        assert counts(child) == {1: 4 * HUGE_PAGES}
        assert child.ask(Memory.intact)
    row = report.by_kind["hugetlb"]
    assert (row.asked, row.moved) == (4 * HUGE_PAGES, 4 * HUGE_PAGES)
    assert report.complete
    check_idle(report)


def test_one_step_takes_a_page_of_hugetlb_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one larger than transparent huge pages, as where there are none of these."""
    monkeypatch.setattr(action, "_huge_size", lambda: 0)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    with huge_page_pool(0, 2), servant(lambda: Memory(0, 2 * HUGE, flags=flags)) as child:
        report = Migration(child.pid, 0, 1, max_stall=1e-6).run()
        assert counts(child) == {1: 2 * HUGE_PAGES}
    row = report.by_kind["hugetlb"]
    assert (row.asked, row.moved) == (2 * HUGE_PAGES, 2 * HUGE_PAGES)


# -- memory of one process


@BOTH
def test_locked_memory(migrate: Callable[[int], Report]) -> None:
    with servant(lambda: Memory(0, SOME * PAGE)) as child:
        child.ask(Memory.lock)
        report = migrate(child.pid)
        assert counts(child) == {1: SOME}
        assert child.ask(Memory.intact)
    assert report.complete
    check_idle(report)


@BOTH
def test_memory_without_access(migrate: Callable[[int], Report]) -> None:
    with servant(lambda: Memory(0, SOME * PAGE)) as child:
        child.ask(Memory.protect, 0, SOME * PAGE, 0)
        report = migrate(child.pid)
        child.ask(Memory.protect, 0, SOME * PAGE, mmap.PROT_READ)  # some kernels look for access
        assert counts(child) == {1: SOME}
    assert report.complete
    check_idle(report)


def test_pinned_pages_are_busy() -> None:
    with servant(lambda: Pinned(0, SOME * PAGE, 16)) as child:
        report = watched(child.pid)
        found = nodes(child)
        assert child.ask(Memory.intact)
    assert found == [0] * 16 + [1] * (SOME - 16)
    assert report.total.left == {"busy": 16}
    assert report.by_source[0].left == report.by_kind["anonymous"].left == {"busy": 16}
    assert not report.complete
    assert "busy: 16 pages" in str(report)
    check_idle(report)


def test_pinned_pages_after_a_single_call() -> None:
    with servant(lambda: Pinned(0, SOME * PAGE, 16)) as child:
        report = direct(child.pid)
        found = nodes(child)
    assert found == [0] * 16 + [1] * (SOME - 16)
    assert report.methods == ("migrate_pages", "move_pages")
    assert report.total.left == {"busy": 16}
    check_idle(report)


@pytest.mark.parametrize("retries", [0, 3])
def test_busy_pages_are_tried_again(retries: int) -> None:
    def release(_: Progress) -> None:
        if not released and counts(child) == {0: 16, 1: SOME - 16}:
            released.append(child.ask(Pinned.release))

    released: list[None] = []
    with servant(lambda: Pinned(0, SOME * PAGE, 16)) as child:
        report = Migration(child.pid, 0, 1, retries=retries).run(release)
        assert released
        assert counts(child) == ({1: SOME} if retries else {0: 16, 1: SOME - 16})
    assert report.total.left == ({} if retries else {"busy": 16})
    check_sums(report)


def test_a_pinned_huge_page() -> None:
    with servant(lambda: Pinned(0, 2 * HUGE, 1, advice=mmap.MADV_HUGEPAGE)) as child:
        report = watched(child.pid)
        found = nodes(child)
        assert child.ask(Memory.intact)
    assert found[HUGE_PAGES:] == [1] * HUGE_PAGES
    assert report.total.left == {"busy": found.count(0)}
    assert found.count(0) >= 1
    check_idle(report)


def test_pinned_pages_of_a_swap_of_nodes() -> None:
    with servant(lambda: Pinned(0, SOME * PAGE, 16)) as child:
        report = Migration(child.pid, moves={0: 1, 1: 0}).run()
        found = nodes(child)
    assert found == [0] * 16 + [1] * (SOME - 16)
    assert report.total.left == {"busy": 16}
    check_sums(report)


def test_a_huge_reservation_with_few_pages() -> None:
    size = 1 << (40 if sys.maxsize > 1 << 32 else 30)

    def prepare() -> list[Memory]:
        reservation = mmap.mmap(-1, size, PRIVATE | MAP_NORESERVE)
        reservation.madvise(mmap.MADV_NOHUGEPAGE)
        with numa.policy(numa.BIND, {0}):
            for offset in range(0, size, size // 32):
                reservation[offset] = 1
        return [reservation]  # type: ignore[list-item]

    with servant(prepare) as child:
        seen: list[Progress] = []
        hold_still(child.pid)
        report = Migration(child.pid, 0, 1).run(seen.append)
    assert report.complete
    check_idle(report)
    assert report.total.moved >= 32
    # A step where there is something, none for all that is in between.
    assert len(seen) < 32 + 60


def test_many_mappings() -> None:
    pages = (80 << 20) // PAGE

    def prepare() -> Memory:
        memory = Memory(0, pages * PAGE)
        for page in range(0, pages, 2):
            memory.protect(page * PAGE, PAGE, mmap.PROT_READ)
        return memory

    with servant(prepare) as child:
        report = watched(child.pid)
        found = nodes(child)
        assert child.ask(Memory.intact)
    assert found == [1] * pages
    assert report.complete
    check_idle(report)


@requires.swap
@BOTH
def test_pages_in_swap_stay_there(migrate: Callable[[int], Report]) -> None:
    with target([0] * 2000) as process:
        process.page_out(1500)
        report = migrate(process.pid)
        assert report.before is not None
        assert report.after is not None
        # With what the one that forked it had in swap.
        assert report.before.swapped == report.after.swapped >= 1500 * PAGE
        assert process.counts() == {1: 500}
        assert process.intact()
    check_idle(report)


# -- files and shared memory


@contextmanager
def _file(folder: str) -> Iterator[int]:
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.truncate(SOME * PAGE)
        yield file.fileno()


@BOTH
@pytest.mark.parametrize("folder", ["/dev/shm", "/var/tmp"])  # noqa: S108
@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED], ids=["private", "shared"])
def test_files(folder: str, flags: int, migrate: Callable[[int], Report]) -> None:
    with (
        _file(folder) as file,
        servant(lambda: Memory(0, SOME * PAGE, flags=flags, file=file)) as child,
    ):
        report = migrate(child.pid)
        assert counts(child) == {1: SOME}
        assert child.ask(Memory.intact)
    assert report.total.moved >= SOME
    check_idle(report)


def shared_with_a_twin() -> Memory:
    """Shared memory that two processes have touched."""
    memory = Memory(0, SOME * PAGE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    fork_a_twin(memory.intact)
    return memory


@BOTH
@pytest.mark.parametrize("shared", [None, True])
def test_shared_memory_moves_for_the_privileged(
    shared: bool | None, migrate: Callable[..., Report]
) -> None:
    with servant(shared_with_a_twin) as child:
        report = migrate(child.pid, shared=shared)
        assert counts(child) == {1: SOME}
        assert child.ask(Memory.intact)
    assert report.complete
    check_idle(report)


@BOTH
def test_shared_memory_stays_if_that_is_wished(migrate: Callable[..., Report]) -> None:
    with servant(shared_with_a_twin) as child:
        report = migrate(child.pid, shared=False)
        assert counts(child) == {0: SOME}
    assert report.methods == ("move_pages",)
    assert report.by_kind["shared"].left["shared"] == SOME
    check_idle(report)


@requires.root
@BOTH
def test_the_unprivileged_move_what_is_their_own(migrate: Callable[[int], Report]) -> None:
    def become_nobody() -> None:
        become(NOBODY)
        set_dumpable(True)

    with target([0] * SOME, become_nobody) as process:
        report = as_user(NOBODY, lambda: migrate(process.pid))
        assert process.counts() == {1: SOME}
        assert process.intact()
    assert set(report.total.left) <= {"shared"}  # what it has from its parent
    check_idle(report)


@BOTH
def test_pages_that_were_forked(migrate: Callable[..., Report]) -> None:
    def prepare() -> Memory:
        memory = Memory(0, SOME * PAGE)
        fork_a_twin()
        ctypes.memset(memory.address, 1, 100 * PAGE)  # these are its own again
        return memory

    with servant(prepare) as child:
        own = counts(child)[0] - (SOME - 100)  # copies go to where the process runs
        report = migrate(child.pid, shared=False)
        assert counts(child)[0] == SOME - 100
        assert counts(child)[1] >= own
        assert report.total.left["shared"] >= SOME - 100
        check_idle(report)
        report = migrate(child.pid, shared=True)
        assert counts(child)[0] == 0
    assert report.complete
    check_idle(report)


@BOTH
def test_merged_pages(migrate: Callable[..., Report]) -> None:
    ksm = "/sys/kernel/mm/ksm/"
    Path(ksm, "run").write_text("2")  # nothing is left of another test, and its counters are 0
    content = os.urandom(PAGE) * SOME
    with ExitStack() as stack:
        child = stack.enter_context(
            servant(lambda: Memory(0, SOME * PAGE, advice=MADV_MERGEABLE, content=content))
        )
        for name, value in {"pages_to_scan": "100000", "sleep_millisecs": "1", "run": "1"}.items():
            stack.enter_context(setting(ksm + name, value))
        while int(Path(ksm, "pages_sharing").read_text()) < SOME - 10:
            time.sleep(0.01)
        Path(ksm, "run").write_text("0")  # no more of it, and what is merged stays so
        stayed = migrate(child.pid, shared=False)
        assert stayed.total.left["shared"] >= SOME - 10
        check_sums(stayed)
        moved = migrate(child.pid, shared=True)
        assert counts(child) == {1: SOME}
        assert child.ask(Memory.intact)
    check_idle(moved)
    assert moved.complete
