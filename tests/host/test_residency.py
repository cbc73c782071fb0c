"""residency() and vmas() of real processes, against what was mapped and what smaps says."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Callable

import pytest
from support.credentials import check
from support.mappings import MANY, PAGES, SIZE, Map, anonymous, striped
from support.pids import hold_still
from support.processes import idle_process, in_child, servant

from pymigrate.kernel.resident import Residency, residency
from pymigrate.kernel.vma import Vma, vmas
from pymigrate.nodemask import NodeMask
from pymigrate.units import KINDS, PAGE_SIZE

_libc = ctypes.CDLL(None, use_errno=True)


def private_zero() -> Map:
    with open("/dev/zero", "r+b") as file:
        return Map(file.fileno(), mmap.MAP_PRIVATE)


def shared_anonymous() -> Map:
    return Map(flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def memfd() -> Map:
    file = os.memfd_create("test of pymigrate")
    os.truncate(file, SIZE)
    return Map(file, mmap.MAP_SHARED)


def posix_shm() -> Map:
    path = f"/dev/shm/pymigrate {os.getpid()}"  # noqa: S108  this is about that place
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink(path)
    os.truncate(file, SIZE)
    return Map(file, mmap.MAP_SHARED)


def disk_file(flags: int) -> Map:
    # Not /tmp, which is a tmpfs on many machines.
    path = Path(__file__).with_name(f".residency = {os.getpid()}")
    path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file:
        path.unlink()
        return Map(file.fileno(), flags)


def shared_file() -> Map:
    return disk_file(mmap.MAP_SHARED)


def private_file() -> Map:
    return disk_file(mmap.MAP_PRIVATE)


def is_tmpfs(path: Path) -> bool:
    """Whether a path is where pages are shmem, also below an overlay of which nobody tells."""
    found = subprocess.run(["stat", "-fc", "%T", path], check=True, capture_output=True, text=True)
    return found.stdout.strip() in ("tmpfs", "overlayfs")


# -- what is mapped is counted, as what it is


@pytest.mark.parametrize(
    ("mapping", "kind"),
    [
        (anonymous, "anonymous"),
        (private_zero, "anonymous"),
        (shared_anonymous, "shared"),
        (memfd, "shared"),
        (posix_shm, "shared"),
        (shared_file, "file"),
        (private_file, "file"),
    ],
)
def test_kinds(mapping: Callable[[], Map], kind: str) -> None:
    if kind == "file" and is_tmpfs(Path(__file__).parent):
        pytest.skip("the tests lie on a tmpfs; run them from a disk")
    with servant(mapping) as child:
        address = child.ask(Map.where)
        assert only(child.pid, address).resident == 0
        child.ask(Map.touch)
        hold_still(child.pid)
        found = {vma.start: vma for vma in vmas(child.pid)}
        whole = residency(child.pid)
    vma = found.pop(address)
    assert vma.kind == kind
    assert vma.resident == PAGES
    assert vma.end - vma.start == SIZE
    assert vma.anonymous == (PAGES if mapping in (anonymous, private_zero, private_file) else 0)
    counted = whole - added_up(found.values())
    assert [each for each in KINDS if counted.pages(kind=each)] == [kind]
    assert counted.pages() == PAGES


def only(pid: int, address: int) -> Vma:
    """The mapping that starts at an address."""
    (found,) = (vma for vma in vmas(pid) if vma.start == address)
    return found


def test_system_v_shared_memory() -> None:
    def attach() -> int:
        _libc.shmat.restype = ctypes.c_void_p
        segment = check(_libc.shmget(0, ctypes.c_size_t(SIZE), 0o600))
        address: int = _libc.shmat(segment, None, 0)
        check(_libc.shmctl(segment, 0, None))  # IPC_RMID: gone with its last user
        ctypes.memset(address, 1, SIZE)
        return address

    with servant(attach) as child:
        (vma,) = (vma for vma in vmas(child.pid) if vma.path.startswith("/SYSV"))
    assert (vma.kind, vma.resident) == ("shared", PAGES)


def test_pages_that_were_only_read_are_the_zero_page() -> None:
    with servant(anonymous) as child:
        child.ask(Map.read)
        assert only(child.pid, child.ask(Map.where)).resident == 0


def test_heap_and_stack() -> None:
    with idle_process() as pid:
        found = {vma.path: vma for vma in vmas(pid)}
    assert found["[stack]"].kind == "anonymous"
    assert found["[stack]"].resident > 0
    assert found[os.path.realpath(sys.executable)].kind in ("file", "shared")


def test_transparent_huge_pages() -> None:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists() or "[never]" in setting.read_text():
        pytest.skip("transparent huge pages are off: write madvise to their 'enabled'")
    size = int(Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").read_text())

    def huge() -> mmap.mmap:
        memory = mmap.mmap(-1, 4 * size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
        memory.write(bytes(4 * size))
        return memory

    with idle_process(huge) as pid:
        found = residency(pid, thp=True)
        assert residency(pid).thp is None
    assert found.thp is not None
    assert found.thp % size == 0
    if not found.thp:
        pytest.skip("the kernel had no huge page to give: memory is too fragmented")
    # They count as the base pages that they are.
    assert found.bytes(kind="anonymous") >= 4 * size


# -- the kernel's other accounts


def test_agrees_with_smaps() -> None:
    def prepare() -> list[Map]:
        maps = [anonymous(), shared_anonymous(), memfd(), private_file()]
        for each in maps:
            each.touch()
        return maps

    with idle_process(prepare) as pid:
        found = residency(pid)
        by_vma = list(vmas(pid))
        smaps = Path(f"/proc/{pid}/smaps").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    rss = {
        int(start, 16): int(kib) * 1024
        for start, name, kib in re.findall(
            r"^([0-9a-f]+)-\S+ \S+ \S+ \S+ \S+ *(.*)\n(?:\w.*\n)*?Rss: *(\d+) kB", smaps, re.M
        )
        if not name.startswith("[v")  # the kernel's own pages: vdso, vvar, vsyscall
    }
    assert {vma.start: vma.resident * PAGE_SIZE for vma in by_vma if vma.start in rss} == rss
    assert found.bytes() == sum(rss.values())
    assert added_up(by_vma) == found
    # These counters may lag behind by a batch for each CPU (include/linux/percpu_counter.h).
    counted = sum(map(int, re.findall(r"^Rss(?:Anon|File|Shmem):\s*(\d+) kB", status, re.M)))
    assert abs(found.bytes() - counted * 1024) <= 64 * PAGE_SIZE * (os.cpu_count() or 1)


def added_up(found: Iterable[Vma]) -> Residency:
    """The residency that single mappings make."""
    total = Residency({})
    for vma in found:
        total += Residency({(node, vma.kind): pages for node, pages in vma.pages.items()})
    return total


@pytest.mark.skipif(not shutil.which("numastat"), reason="numastat is missing: install numactl")
def test_agrees_with_numastat() -> None:
    with servant(anonymous) as child:
        child.ask(Map.touch)
        found = residency(child.pid)
        told = subprocess.run(
            ["numastat", "-p", str(child.pid)], check=True, capture_output=True, text=True
        )
    total = re.search(r"^Total +([\d. ]+)$", told.stdout, re.M)
    assert total is not None
    megabytes = [float(word) for word in total[1].split()]
    ours = [found.bytes(node) / 2**20 for node in NodeMask.has_memory()]
    # It lists the nodes one by one and then their sum.
    assert megabytes == pytest.approx([*ours, sum(ours)], abs=0.02)


# -- many mappings


def test_twenty_thousand_mappings() -> None:
    with idle_process(striped) as pid:
        found = residency(pid)
        by_vma = list(vmas(pid))
        tracemalloc = pytest.importorskip("tracemalloc", reason="CPython alone has it")
        tracemalloc.start()
        count = sum(1 for _ in vmas(pid))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == len(by_vma) > 2 * MANY
    assert sum(1 for vma in by_vma if vma.permissions == "r--p" and vma.resident == 1) >= MANY
    assert added_up([vma for vma in by_vma if vma.pages]) == found
    assert peak < 2**20  # of 4 MB of text


# -- the caller and its threads


def test_pid_0_is_the_caller() -> None:
    def look() -> tuple[int, int, int]:
        memory = anonymous()
        before = residency(0)
        memory.touch()
        return memory.address, (residency(0) - before).pages(), only(0, memory.address).resident

    _, growth, resident = in_child(look)
    assert resident == PAGES
    assert PAGES <= growth < PAGES + 500


def test_a_thread_has_the_memory_of_its_process() -> None:
    ids: list[int] = []
    over = threading.Event()

    def stay() -> None:
        ids.append(threading.get_native_id())
        over.wait()

    thread = threading.Thread(target=stay)
    thread.start()
    while not ids:
        time.sleep(0.001)
    try:
        assert abs(residency(ids[0]).pages() - residency(0).pages()) < 100
    finally:
        over.set()
        thread.join()
