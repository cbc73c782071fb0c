"""residency() and its kin on several nodes: each page is counted where it really is."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import numa
from support.memory import PAGE, Block, target
from support.pids import hold_still
from support.processes import idle_process, servant

from pymigrate import migrate
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.resident import residency
from pymigrate.kernel.sample import sample_residency
from pymigrate.kernel.vma import Vma, vmas
from pymigrate.nodemask import NodeMask

pytestmark = pytest.mark.numa

NODES = range(4)
LAYOUT = [node for node in NODES for _ in range(1000 * (node + 1))]
HUGE = 2 * 1024 * 1024
HUGE_PAGES = HUGE // PAGE


def only(pid: int, address: int) -> Vma:
    """The mapping that starts at an address."""
    (found,) = (vma for vma in vmas(pid) if vma.start == address)
    return found


class Region:
    """Memory of some kind that was written to while it was bound to a node."""

    def __init__(self, node: int, size: int, flags: int, file: int = -1, advice: int = 0) -> None:
        # A huge page more, so that a whole one surely fits.
        self._map = mmap.mmap(file, size + HUGE * (advice != 0), flags)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = -(-start // HUGE) * HUGE if advice else start
        self.mapping = start
        if advice:
            self._map.madvise(advice)
        numa.set_range_policy(self.address, size, numa.BIND, {node})
        ctypes.memset(self.address, 1, size)

    def where(self) -> int:
        """Its address."""
        return self.address


def counted(pid: int, node: int) -> int:
    """Pages of a process without hugetlb on a node, by the text of numa_maps; not the kernel's."""
    own = re.findall(r"^([0-9a-f]+)-.*\[v(?:var|dso)", Path(f"/proc/{pid}/maps").read_text(), re.M)
    lines = Path(f"/proc/{pid}/numa_maps").read_text().splitlines()
    text = "\n".join(line for line in lines if line.split()[0] not in own)
    return sum(map(int, re.findall(rf" N{node}=(\d+)", text)))


def test_pages_are_counted_on_their_nodes() -> None:
    with target(LAYOUT) as process:
        hold_still(process.pid)
        assert only(process.pid, process.addresses[0]).pages == Counter(LAYOUT)
        found = residency(process.pid)
        assert found.nodes == NodeMask(NODES)
        for node in NODES:
            assert found.pages(node, "anonymous") >= LAYOUT.count(node)
            assert found.pages(node) == counted(process.pid, node)


def test_a_migration_is_a_difference() -> None:
    with target(LAYOUT) as process:
        before = residency(process.pid)
        assert migrate(process.pid, "0", "3") == 0
        change = residency(process.pid) - before
    # Of files the kernel may drop pages rather than move them.
    moved = [change.pages(node, "anonymous") for node in NODES]
    assert moved[3] >= LAYOUT.count(0)
    assert moved == [-moved[3], 0, 0, moved[3]]


@pytest.mark.parametrize("node", NODES)
def test_shared_memory(node: int) -> None:
    def prepare() -> Region:
        file = os.memfd_create("test of pymigrate")
        os.truncate(file, 500 * PAGE)
        return Region(node, 500 * PAGE, mmap.MAP_SHARED, file)

    with servant(prepare) as child:
        vma = only(child.pid, child.ask(Region.where))
        assert residency(child.pid).pages(node, "shared") >= 500
    assert (vma.kind, vma.pages) == ("shared", {node: 500})
    assert str(vma.policy) == f"bind:{node}"


@pytest.mark.parametrize(
    ("mode", "nodes", "expected"),
    [
        (numa.BIND, {1, 3}, "bind:1,3"),
        (numa.INTERLEAVE, {0, 1, 2, 3}, "interleave:0-3"),
        (numa.PREFERRED, {2}, "prefer:2"),
        (numa.PREFERRED, set(), "local"),
    ],
)
def test_policy(mode: int, nodes: set[int], expected: str) -> None:
    def prepare() -> Block:
        block = Block([0] * 16)
        numa.set_range_policy(block.addresses[0], 16 * PAGE, mode, nodes)
        return block

    with servant(prepare) as child:
        (vma,) = (vma for vma in vmas(child.pid) if str(vma.policy) == expected)
    assert vma.pages == {0: 16}
    assert vma.policy.nodes == NodeMask(nodes)


@contextmanager
def huge_page_pool(node: int, pages: int) -> Iterator[None]:
    """Huge pages of 2 MiB on a node."""
    pool = Path(f"/sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages")
    before = pool.read_text()
    pool.write_text(str(pages))
    try:
        if int(pool.read_text()) < pages:
            pytest.skip(f"node {node} has no {pages} huge pages to give")
        yield
    finally:
        pool.write_text(before)


@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED], ids=["private", "shared"])
def test_hugetlb(flags: int) -> None:
    map_hugetlb = 0x40000  # include/uapi/asm-generic/mman-common.h

    def prepare() -> Region:
        return Region(1, 4 * HUGE, flags | mmap.MAP_ANONYMOUS | map_hugetlb)

    with huge_page_pool(1, 5), servant(prepare) as child:
        vma = only(child.pid, child.ask(Region.where))
        found = residency(child.pid)
        pool = topology()[1].hugetlb[HUGE]
    assert (vma.kind, vma.page_size, vma.size) == ("hugetlb", HUGE, 4 * HUGE)
    assert vma.pages == {1: 4 * HUGE_PAGES}
    assert found.bytes(kind="hugetlb") == found.bytes(1, "hugetlb") == 4 * HUGE
    assert (pool.total, pool.free) == (5, 1)


@pytest.mark.usefixtures("calm")
def test_transparent_huge_pages() -> None:
    def prepare() -> Region:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        return Region(2, 4 * HUGE, flags, advice=mmap.MADV_HUGEPAGE)

    inherited = residency(0, thp=True).thp  # of the interpreter's own memory
    with servant(prepare) as child:
        found = residency(child.pid, thp=True)
        exact = [vma for vma in vmas(child.pid) if vma.start == child.ask(Region.where)]
    assert inherited is not None
    assert found.thp == inherited + 4 * HUGE
    assert found.pages(2, "anonymous") >= 4 * HUGE_PAGES
    assert not found.pages(kind="hugetlb")
    assert [vma.pages for vma in exact] == [{2: 4 * HUGE_PAGES}]
    assert [vma.page_size for vma in exact] == [PAGE]


@pytest.mark.skipif(not shutil.which("numastat"), reason="numastat is missing: install numactl")
def test_agrees_with_numastat() -> None:
    with target(LAYOUT) as process:
        found = residency(process.pid)
        told = subprocess.run(
            ["numastat", "-p", str(process.pid)], check=True, capture_output=True, text=True
        ).stdout
    # Tables of three nodes side by side; the sum over all nodes stands last.
    totals = [
        float(word) for row in re.findall(r"^Total +([\d. ]+)$", told, re.M) for word in row.split()
    ]
    ours = [found.bytes(node) / 2**20 for node in NODES]
    assert totals == pytest.approx([*ours, sum(ours)], abs=0.02)


@pytest.mark.numa(swap="256M")
def test_what_is_in_swap_is_on_no_node() -> None:
    with target([1] * 2000) as process:
        before = residency(process.pid)
        process.page_out(1500)
        change = residency(process.pid) - before
        assert abs(change.pages(1, "anonymous") + 1500) < 100  # and its own work
        assert only(process.pid, process.addresses[0]).pages == {1: 500}
        # Before Linux 6.2 the counter lags behind by some 64 pages of each thread (mm/memory.c).
        assert abs(change.swapped - 1500 * PAGE) < 150 * PAGE
        assert process.intact()
        assert residency(process.pid).swapped < 150 * PAGE


# -- sampling


def test_a_sample_finds_the_nodes() -> None:
    with target(LAYOUT) as process:
        exact = residency(process.pid)
        runs = [sample_residency(process.pid, samples=1000, seed=seed) for seed in range(20)]
    within = [
        abs(run.nodes[node].pages - exact.pages(node)) <= run.nodes[node].bound
        for run in runs
        for node in NODES
    ]
    assert sum(within) >= 70  # of 76 expected: 95 %, less three standard errors
    assert all(run.hidden.pages == 0 for run in runs)


@pytest.mark.managed
@pytest.mark.numa(kernel="6.1", balancing=True)
def test_pages_that_the_kernel_hides_are_not_lost() -> None:
    with target(LAYOUT) as process:
        # Balancing marks the pages of whoever computes.
        end = time.monotonic() + 20
        while all(node >= 0 for node in process.nodes()) and time.monotonic() < end:
            process.intact()
        hidden = sum(node < 0 for node in process.nodes())
        exact = residency(process.pid)
        found = sample_residency(process.pid, samples=10**9)
    if not hidden:
        pytest.skip("balancing has marked no page in 20 s")
    assert found.hidden.pages > 0
    total = sum(estimate.pages for estimate in found.nodes.values()) + found.hidden.pages
    assert abs(total - exact.pages()) < 300  # what the process did between the two looks


# -- the machine


def test_topology() -> None:
    found = topology()
    assert list(found.nodes) == list(NODES)
    assert all(node.memory == "dram" and len(node.cpus) == 1 for node in found)
    assert all(
        node.distances[other] == (10 if other == node.number else 20)
        for node in found
        for other in NODES
    )


@pytest.mark.numa(cpus=2)
def test_nodes_without_processors() -> None:
    assert [node.memory for node in topology()] == ["dram", "dram", "memory-only", "memory-only"]


def test_free_memory_follows_what_is_used() -> None:
    # Of what the kernel holds of files it would give up some instead.
    Path("/proc/sys/vm/drop_caches").write_text("3")
    before = topology()[3].memory_free
    pages = (96 << 20) // PAGE
    with idle_process(lambda: Block([3] * pages)):
        used = before - topology()[3].memory_free
    assert used >= 48 << 20  # of 96 MiB, so much is no noise
