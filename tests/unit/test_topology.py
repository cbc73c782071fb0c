"""Topology from trees as the kernel shows them, of machines that nobody here has."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from pymigrate._files import read_lines
from pymigrate.errors import KernelError, Unsupported
from pymigrate.kernel import nodes
from pymigrate.kernel.nodes import HugePool, Performance, topology
from pymigrate.nodemask import NodeMask

GIB = 2**20  # in kB


class Tree:
    """A folder with what sysfs and procfs tell of nodes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("sys/devices/system/node/possible", "0-1023\n")

    def write(self, path: str, text: str) -> Path:
        """A file, with the folders above it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def online(self, nodes: str) -> None:
        """Which nodes are there."""
        self.write("sys/devices/system/node/online", f"{nodes}\n")

    def node(self, number: int, cpus: str, total: int, distances: str) -> str:
        """A node with memory in kB, a quarter of it free. Returns its folder."""
        path = f"sys/devices/system/node/node{number}"
        self.write(f"{path}/cpulist", f"{cpus}\n")
        self.write(f"{path}/distance", f"{distances}\n")
        self.write(
            f"{path}/meminfo",
            f"Node {number} MemTotal:       {total} kB\n"
            f"Node {number} MemFree:        {total // 4} kB\n"
            f"Node {number} Active(anon):   12 kB\n"
            f"Node {number} HugePages_Total:     0\n",
        )
        return path

    def tier(self, number: int, nodes: str) -> None:
        """A memory tier."""
        self.write(f"sys/devices/virtual/memory_tiering/memory_tier{number}/nodelist", f"{nodes}\n")

    def dax(self, device: str, node: int, driver: str = "kmem") -> None:
        """A dax device somewhere in the tree, with its link on the bus."""
        target = self.write(f"sys/devices/{device}/target_node", f"{node}\n").parent
        bound = self.root / "sys/bus/dax/drivers" / driver
        bound.mkdir(parents=True, exist_ok=True)
        (target / "driver").symlink_to(bound)
        bus = self.root / "sys/bus/dax/devices"
        bus.mkdir(parents=True, exist_ok=True)
        (bus / target.name).symlink_to(os.path.relpath(target, bus))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_sparse_nodes(tree: Tree) -> None:
    tree.online("0,8,250-251")
    for number, cpus in {0: "0-7,16-23", 8: "8-15,24-31", 250: "", 251: "4000-8191"}.items():
        tree.node(
            number, cpus, 64 * GIB, " ".join(str(10 + abs(number - n)) for n in (0, 8, 250, 251))
        )
    found = topology(str(tree.root))
    assert list(found.nodes) == [0, 8, 250, 251]
    assert [node.number for node in found] == [0, 8, 250, 251]
    assert len(found) == 4
    assert found[8].distances == {0: 18, 8: 10, 250: 252, 251: 253}
    assert found[8].cpus == frozenset(range(8, 16)) | frozenset(range(24, 32))
    assert max(found[251].cpus) == 8191
    assert found[0].memory_total == 64 * 2**30
    assert found[0].memory_free == 16 * 2**30
    assert found.possible == NodeMask(range(1024))
    assert found.balancing is None
    with pytest.raises(KeyError):
        found[1]


@pytest.mark.parametrize(
    ("cpus", "total", "tier", "expected"),
    [
        ("0-3", GIB, None, "dram"),
        ("0-3", GIB, 4, "dram"),
        ("0-3", 0, None, "none"),
        ("", 0, None, "none"),
        ("", GIB, None, "memory-only"),
        ("", GIB, 4, "memory-only"),
        ("", GIB, 3, "fast"),
        ("", GIB, 22, "slow"),
    ],
)
def test_memory_class(tree: Tree, cpus: str, total: int, tier: int | None, expected: str) -> None:
    tree.online("3")
    tree.node(3, cpus, total, "10")
    if tier is not None:
        tree.tier(tier, "3")
        tree.tier(tier + 1, "")
    (node,) = topology(str(tree.root))
    assert node.memory == expected
    assert node.tier == tier
    assert node.memory_only == (total > 0 and not cpus)


def test_devices_that_serve_as_memory(tree: Tree) -> None:
    tree.online("0-4")
    for number in range(5):
        tree.node(number, "", GIB, "10 20 20 20 20")
    cxl = "platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0"
    tree.dax(f"{cxl}/dax0.0", 1)
    tree.dax("LNXSYSTM:00/ndbus0/region1/dax1.1/dax1.0", 2)
    tree.dax("platform/hmem.0/dax2.0", 3)
    tree.dax(f"{cxl}/dax0.1", 4, driver="device_dax")
    classes = [node.memory for node in topology(str(tree.root))]
    assert classes == ["memory-only", "cxl", "persistent", "memory-only", "memory-only"]


def test_huge_pages(tree: Tree) -> None:
    tree.online("0")
    path = tree.node(0, "0", GIB, "10")
    for size, total, free in ((1048576, 2, 1), (2048, 512, 500)):
        pool = f"{path}/hugepages/hugepages-{size}kB"
        tree.write(f"{pool}/nr_hugepages", f"{total}\n")
        tree.write(f"{pool}/free_hugepages", f"{free}\n")
        tree.write(f"{pool}/surplus_hugepages", "0\n")
    (node,) = topology(str(tree.root))
    assert node.hugetlb == {2**21: HugePool(512, 500), 2**30: HugePool(2, 1)}
    assert list(node.hugetlb) == [2**21, 2**30]


def test_performance(tree: Tree) -> None:
    tree.online("0-1")
    path = tree.node(0, "0", GIB, "10 20")
    tree.node(1, "1", GIB, "20 10")
    for name, value in (("read_latency", 90), ("read_bandwidth", 240000), ("write_latency", 95)):
        tree.write(f"{path}/access0/initiators/{name}", f"{value}\n")
    found = topology(str(tree.root))
    assert found[0].performance == Performance(90, 95, 240000, 0)
    assert found[1].performance is None


@pytest.mark.parametrize("value", [0, 1, 2, 3])
def test_balancing(tree: Tree, value: int) -> None:
    tree.online("0")
    tree.node(0, "0", GIB, "10")
    tree.write("proc/sys/kernel/numa_balancing", f"{value}\n")
    assert topology(str(tree.root)).balancing == value


def test_json(tree: Tree) -> None:
    tree.online("0,2")
    path = tree.node(0, "0-1", GIB, "10 20")
    tree.node(2, "", GIB, "20 10")
    tree.write(f"{path}/access0/initiators/read_latency", "90\n")
    found = json.loads(json.dumps(topology(str(tree.root)).to_dict()))
    assert [node["number"] for node in found["nodes"]] == [0, 2]
    assert found["nodes"][0]["cpus"] == [0, 1]
    assert found["nodes"][0]["performance"]["read_latency"] == 90
    assert found["nodes"][1]["memory"] == "memory-only"
    assert found["possible"] == "0-1023"


def test_kernel_without_numa(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="built without NUMA"):
        topology(str(tmp_path))


def test_a_node_that_goes_while_it_is_looked_at(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.online("0-1")
    tree.node(0, "0-1", GIB, "10 20")

    def read(path: str) -> list[str]:
        if "/node1/" in path:
            tree.online("0")
            tree.node(0, "0-1", GIB, "10")
        return read_lines(path)

    monkeypatch.setattr(nodes, "read_lines", read)
    found = topology(str(tree.root))
    assert list(found.nodes) == [0]
    assert found[0].distances == {0: 10}


def test_a_node_without_files(tree: Tree) -> None:
    tree.online("0-1")
    tree.node(0, "0-1", GIB, "10 20")
    with pytest.raises(KernelError, match="node1/meminfo cannot be read") as refusal:
        topology(str(tree.root))
    assert refusal.value.errno == errno.ENOENT
