"""topology() of the machine that the tests run on, against the kernel's other accounts of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import mounts, requires
from support.processes import in_child

from pymigrate.errors import Unsupported
from pymigrate.kernel.nodes import topology
from pymigrate.nodemask import NodeMask


def test_nodes() -> None:
    found = topology()
    assert NodeMask(found.nodes) == NodeMask.online()
    assert found.possible == NodeMask.possible()
    assert NodeMask(n.number for n in found if n.memory_total) == NodeMask.has_memory()
    assert all(node.distances.keys() == found.nodes.keys() for node in found)
    assert all(node.distances[node.number] == 10 for node in found)  # ACPI SLIT


def test_cpus() -> None:
    online = NodeMask(Path("/sys/devices/system/cpu/online").read_text())
    of_nodes = [cpu for node in topology() for cpu in node.cpus]
    assert sorted(of_nodes) == list(online)


def test_memory() -> None:
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total = int(fields["MemTotal"].split()[0]) * 1024
    found = topology()
    # Less where memory has been added to a virtual machine.
    assert 0 < sum(node.memory_total for node in found) <= total * 1.05
    assert all(0 <= node.memory_free <= node.memory_total for node in found)


def test_huge_pages() -> None:
    totals = {
        int(pool.name.split("-")[1][:-2]) * 1024: int((pool / "nr_hugepages").read_text())
        for pool in Path("/sys/kernel/mm/hugepages").glob("hugepages-*")
    }
    found = topology()
    for size, total in totals.items():
        assert sum(node.hugetlb[size].total for node in found) == total


def test_balancing() -> None:
    setting = Path("/proc/sys/kernel/numa_balancing")
    expected = int(setting.read_text()) if setting.exists() else None
    assert topology().balancing == expected


@requires.root
def test_without_numa() -> None:
    def look() -> None:
        mounts.hide_nodes()
        topology()

    with pytest.raises(Unsupported, match="built without NUMA"):
        in_child(look)
