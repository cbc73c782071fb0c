"""What each kernel makes of what is asked of it: works, falls back, refuses; the table's source.

Where kernels differ, the difference is asserted of the one that runs: nothing is skipped for it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import struct
from pathlib import Path
from typing import Callable

import pytest
from support import kernels, numa, requires, seccomp
from support.accounts import check_idle, check_sums
from support.balancing import BALANCING, Busy, marked_so_far, wait_until_marked
from support.cpuset import cpuset, enter, first_version
from support.credentials import NOBODY, set_dumpable
from support.kinds import HUGE, HUGE_PAGES, MAP_HUGETLB, Memory, huge_page_pool, setting
from support.memory import PAGE, Block, target
from support.pids import hold_still
from support.processes import as_user, in_child, servant
from support.syscalls import PROCESS_MADVISE, call, numbers

from pymigrate import Cpuset, Eviction, Migration, Unsupported, evict, migrate, relocate
from pymigrate.kernel.vma import vmas

pytestmark = [requires.root, requires.swap, pytest.mark.usefixtures("calm")]

SOME = 1000
ABSENT = -errno.ENOENT
MADV_PAGEOUT = 21

Tell = Callable[..., None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Hands over what was found: the feature, the verdict, and details."""

    def told(feature: str, verdict: str, detail: str = "") -> None:
        record_property("finding", json.dumps([feature, verdict, detail, os.uname().release]))

    return told


def answer(attempt: Callable[[], object]) -> str:
    """What the kernel says to something: the name of its errno, or nothing."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


# -- moving


def test_the_single_call(tell: Tell) -> None:
    with target([0] * SOME) as process:
        assert migrate(process.pid, 0, 1) == 0
        assert process.counts() == {1: SOME}
    tell("migrate_pages", "works")


def test_the_walk(tell: Tell) -> None:
    with target([0] * SOME) as process:
        hold_still(process.pid)
        report = Migration(process.pid, 0, 1).run(lambda _: None)
        assert process.counts() == {1: SOME}
    check_idle(report)
    assert report.methods == ("move_pages",)
    assert report.complete, report.to_json()
    tell("walk by move_pages", "works")


def test_transparent_huge_pages(tell: Tell) -> None:
    with servant(lambda: Memory(0, 4 * HUGE, advice=mmap.MADV_HUGEPAGE)) as child:
        hold_still(child.pid)
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        nodes = numa.nodes_of(child.pid, child.ask(Memory.addresses))
        assert nodes == [1] * (4 * HUGE_PAGES)
    check_idle(report)
    tell("transparent huge pages", "works")


def test_hugetlb(tell: Tell) -> None:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    with huge_page_pool(0, 2), servant(lambda: Memory(0, 2 * HUGE, flags=flags)) as child:
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        assert report.by_kind["hugetlb"].moved == 2 * HUGE_PAGES
    check_sums(report)
    tell("hugetlb", "works")


# -- looking


def test_scanning_for_present_pages(tell: Tell) -> None:
    """PAGEMAP_SCAN (include/uapi/linux/fs.h); where it is missing, entry by entry."""
    scan, size = 0xC0606610, 96
    argument = struct.pack("=12Q", size, *[0] * 11)
    with open("/proc/self/pagemap", "rb") as pagemap:
        said = answer(lambda: fcntl.ioctl(pagemap, scan, argument))
    known = kernels.since(6, 7)
    assert said == ("" if known else "ENOTTY")
    tell("present pages by PAGEMAP_SCAN", *(["works"] if known else ["falls back", "to pagemap"]))


def test_memory_that_was_never_touched(tell: Tell) -> None:
    """It is on no node; the errno says why, and has changed."""
    untouched = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(untouched))
    (status,) = numa.nodes_of(0, [address])
    expected = errno.ENOENT if kernels.since(6, 12) else errno.EFAULT
    assert status in (-errno.ENOENT, -expected)
    tell("move_pages of untouched memory", "works", errno.errorcode[-status])


def test_memory_of_the_kernels_own(tell: Tell) -> None:
    """What the kernel shows a process of itself (vdso, vvar) is no memory of that process."""
    with target([0] * SOME) as process:
        own = [vma for vma in vmas(process.pid) if vma.path.startswith("[v")]
        assert own
        assert not any(vma.pages for vma in own)
        assert Migration(process.pid, 0, 1).run().complete
    tell("pages of vdso and vvar", "works", "not counted")


@pytest.mark.parametrize(
    ("name", "mode", "version"),
    [("prefer (many)", 5, (5, 15)), ("weighted interleave", 6, (6, 9))],
)
def test_policies(name: str, mode: int, version: tuple[int, int], tell: Tell) -> None:
    known = kernels.since(*version)

    def set_policy() -> tuple[str, list[dict[int, int]]]:
        block = Block([0] * 16)
        start = block.addresses[0]
        said = answer(lambda: numa.set_range_policy(start, 16 * PAGE, mode, {1}))
        return said, [vma.pages for vma in vmas(0) if str(vma.policy).startswith(name)]

    assert in_child(set_policy) == (("", [{0: 16}]) if known else ("EINVAL", []))
    tell(f"policy {name}", *(["works"] if known else ["refuses", "EINVAL"]))


# -- evicting


def test_evicting(tell: Tell) -> None:
    with target([0] * SOME) as process:
        hold_still(process.pid)
        report = Eviction(process.pid, 0, 1).run()
        assert process.nodes() == [ABSENT] * SOME
        assert process.intact()
    check_sums(report)
    tell("evict by process_madvise", "works")


def test_evicting_oneself_without_privileges(tell: Tell) -> None:
    """By madvise(2), as process_madvise(2) wants CAP_SYS_NICE on most kernels."""

    def evicted() -> int:
        set_dumpable(True)
        block = Block([0] * SOME)
        evict(0, 0, 1)
        return numa.nodes_of(0, block.addresses).count(ABSENT)

    assert as_user(NOBODY, evicted) == SOME
    tell("evict oneself without CAP_SYS_NICE", "works")


def test_process_madvise_of_oneself_without_privileges(tell: Tell) -> None:
    def advise() -> str:
        set_dumpable(True)
        block = Block([0])
        vector = (ctypes.c_size_t * 2)(block.addresses[0], PAGE)
        pidfd = os.pidfd_open(os.getpid())
        return answer(lambda: call(PROCESS_MADVISE, pidfd, vector, 1, MADV_PAGEOUT, 0))

    # CAP_SYS_NICE became a matter of others only (mm/madvise.c).
    refused = not kernels.since(6, 12)
    assert as_user(NOBODY, advise) == ("EPERM" if refused else "")
    feature = "process_madvise of oneself without CAP_SYS_NICE"
    tell(feature, *(["refuses", "EPERM"] if refused else ["works"]))


# -- the same process


def test_pidfd(tell: Tell) -> None:
    with target([0]) as process:
        os.close(os.pidfd_open(process.pid))
    tell("pidfd_open", "works")


# -- cgroups


def test_relocating_version_2(tell: Tell) -> None:
    with cpuset("0") as group, target([0] * SOME, lambda: enter(group)) as process:
        relocation = relocate(str(group), 1)
        assert process.counts() == {1: SOME}
    assert relocation.complete
    by_kernel = relocation.by_kernel >= SOME
    assert by_kernel == kernels.cpuset_moves_memory()
    verdict = ["works", "by the kernel"] if by_kernel else ["falls back", "to a migration"]
    tell("relocate a cgroup (v2)", *verdict)


def test_relocating_version_1(tmp_path: Path, tell: Tell) -> None:
    """Debian's kernels from 6.12 on are built without."""
    if kernels.since(6, 12):
        with pytest.raises(pytest.skip.Exception), first_version(tmp_path):
            pass
        tell("relocate a cgroup (v1)", "refuses", "the kernel is built without")
        return
    with (
        first_version(tmp_path),
        cpuset("0", cpus="0-3", above=tmp_path) as group,
        target([0] * SOME, lambda: enter(group)) as process,
    ):
        assert Cpuset.of(process.pid).version == 1
        assert relocate(str(group), 1).complete
        assert process.counts() == {1: SOME}
    tell("relocate a cgroup (v1)", "works")


# -- a kernel without the calls


def check_refused(call_number: int, attempt: Callable[[int], object]) -> None:
    """Without a system call nothing moves, and the error says so."""

    def refused(pid: int) -> None:
        seccomp.refuse(errno.ENOSYS, call_number)
        with pytest.raises(Unsupported) as error:
            attempt(pid)
        assert error.value.errno == errno.ENOSYS

    with target([0] * 16) as process:
        in_child(lambda: refused(process.pid))
        assert process.counts() == {0: 16}


def test_without_migrate_pages(tell: Tell) -> None:
    check_refused(numbers().migrate_pages, lambda pid: migrate(pid, 0, 1))
    tell("migrate() without the system call", "refuses", "ENOSYS")


def test_without_move_pages(tell: Tell) -> None:
    def walk(pid: int) -> object:
        return Migration(pid, 0, 1).run(lambda _: None)

    check_refused(numbers().move_pages, walk)
    tell("a walk without the system call", "refuses", "ENOSYS")


def test_without_process_madvise(tell: Tell) -> None:
    check_refused(PROCESS_MADVISE, lambda pid: evict(pid, 0, 1))
    tell("evict() without the system call", "refuses", "ENOSYS")


# -- in a machine of its own (test_balancing.py)


@pytest.mark.numa(balancing=True)
def test_the_walk_while_the_kernel_balances(tell: Tell) -> None:
    before = marked_so_far()
    with setting(BALANCING, "1"), servant(Busy) as child:
        wait_until_marked(child, before)
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        assert child.ask(Busy.intact_on, 1)
    check_sums(report)
    assert "hidden" not in report.total.left
    if kernels.balancing_hides_pages():
        assert report.methods == ("move_pages", "migrate_pages")
        tell("walk while the kernel balances", "falls back", "to migrate_pages")
    else:
        assert report.methods == ("move_pages",)
        tell("walk while the kernel balances", "works")
