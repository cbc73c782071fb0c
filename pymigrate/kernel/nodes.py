"""The NUMA nodes of the machine: what sysfs tells of each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from pymigrate._checks import check_root
from pymigrate._files import (
    NODE_DIRECTORY,
    parse_fields,
    read_lines,
    read_text,
    unreadable,
    without_nodes,
)
from pymigrate.kernel._memory_files import kilobytes
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["HugePool", "Node", "Performance", "Topology", "balancing_mode", "topology"]

_TIERS = "/sys/devices/virtual/memory_tiering"
_DAX = "/sys/bus/dax/devices"
_BALANCING = "/proc/sys/kernel/numa_balancing"

# MEMTIER_ADISTANCE_DRAM >> MEMTIER_CHUNK_BITS in include/linux/memory-tiers.h; less is faster.
_DRAM_TIER = 4


class HugePool(NamedTuple):
    """The hugetlb pages of one size on one node."""

    total: int
    free: int


class Performance(NamedTuple):
    """What the firmware says of the way to a node from the nearest CPUs (HMAT, CDAT).

    Latencies are in nanoseconds, bandwidths in MB/s; 0 where it says nothing.
    """

    read_latency: int
    write_latency: int
    read_bandwidth: int
    write_bandwidth: int


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        number: Its number.
        cpus: Its online CPUs.
        memory_total: Bytes that it has.
        memory_free: Bytes that are free. The page cache takes what is left over, and gives it back
            when it is needed.
        distances: To each online node, 10 to itself (ACPI SLIT).
        hugetlb: Pools of huge pages by page size in bytes; sums are in pages of that size.
        memory: The class of its memory:

            * ``"none"``: it has none;
            * ``"dram"``: ordinary, with CPUs on the same node;
            * ``"memory-only"``: without CPUs, and the kernel says no more;
            * ``"fast"``, ``"slow"``: without CPUs, in a memory tier above or below DRAM, as for
              high-bandwidth or expanded memory;
            * ``"cxl"``, ``"persistent"``: from a device that is used as memory (dax, kmem).
        tier: The memory tier that the kernel has put it in, 4 for DRAM and less for what is
            faster; None where it has none.
        performance: As the firmware tells; None where it does not.
    """

    number: int
    cpus: frozenset[int]
    memory_total: int
    memory_free: int
    distances: dict[int, int]
    hugetlb: dict[int, HugePool]
    memory: str
    tier: int | None
    performance: Performance | None

    @property
    def memory_only(self) -> bool:
        """Whether it has memory and no CPUs."""
        return self.memory_total > 0 and not self.cpus

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {
            **vars(self),
            "cpus": sorted(self.cpus),
            "hugetlb": {size: pool._asdict() for size, pool in self.hugetlb.items()},
            "performance": self.performance and self.performance._asdict(),
        }


@dataclass(frozen=True)
class Topology:
    """The nodes that are online. ``topology[3]`` is node 3; iterating gives them in order.

    Attributes:
        nodes: By number, ascending; numbers can have gaps.
        possible: Nodes that could ever come online.
        balancing: ``kernel.numa_balancing``: 0 off, bit 0 pages follow the threads that use them,
            bit 1 hot pages move to faster tiers; None where the kernel has it not.
    """

    nodes: dict[int, Node]
    possible: NodeMask
    balancing: int | None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, number: int) -> Node:
        return self.nodes[number]

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {
            "nodes": [node.to_dict() for node in self],
            "possible": str(self.possible),
            "numa_balancing": self.balancing,
        }


def topology(root: str = "") -> Topology:
    """Looks at the nodes that are online now.

    Args:
        root: A folder that stands for ``/``: a copy of ``/sys`` and ``/proc`` of another machine.

    Raises:
        InvalidArgument: ``root`` is no path.
        Unsupported: The kernel was built without NUMA, or /sys is not mounted.
        KernelError: What it tells of them cannot be read.
    """
    check_root(root)
    directory = root + NODE_DIRECTORY
    try:
        online = _node_set(f"{directory}/online")
    except FileNotFoundError:
        raise without_nodes(directory) from None
    except OSError as error:
        raise unreadable(error) from None
    try:
        return _look(root, directory, online)
    except OSError as error:
        refused = unreadable(error)
        if _node_set(f"{directory}/online") != online:  # a node went meanwhile, with its files
            return topology(root)
        raise refused from None


def _look(root: str, directory: str, online: NodeMask) -> Topology:
    tiers, devices = _tiers(root + _TIERS), _devices(root + _DAX)
    return Topology(
        nodes={
            number: _node(f"{directory}/node{number}", number, online, tiers, devices)
            for number in online
        },
        possible=_node_set(f"{directory}/possible"),
        balancing=balancing_mode(root),
    )


def balancing_mode(root: str = "") -> int | None:
    """``kernel.numa_balancing``, as in ``Topology``; None where the kernel has none."""
    mode = _optional(root + _BALANCING)
    return int(mode) if mode else None


def _node(
    path: str, number: int, online: NodeMask, tiers: dict[int, int], devices: dict[int, str]
) -> Node:
    # A line: "Node 0 MemTotal:  1024 kB".
    sizes = parse_fields(line.split(None, 2)[2] for line in read_lines(f"{path}/meminfo"))
    # CPU lists have the grammar of node lists, and their numbers the same limit.
    cpus = frozenset(_node_set(f"{path}/cpulist"))
    total = kilobytes(sizes, "MemTotal")
    tier = tiers.get(number)
    return Node(
        number=number,
        cpus=cpus,
        memory_total=total,
        memory_free=kilobytes(sizes, "MemFree"),
        distances=dict(zip(online, map(int, read_text(f"{path}/distance").split()))),
        hugetlb=_hugetlb(f"{path}/hugepages"),
        memory=_memory_class(bool(cpus), total, tier, devices.get(number)),
        tier=tier,
        performance=_performance(f"{path}/access0/initiators"),
    )


def _memory_class(has_cpus: bool, total: int, tier: int | None, device: str | None) -> str:
    if not total:
        return "none"
    if device:
        return device
    if has_cpus:
        return "dram"
    if tier is None or tier == _DRAM_TIER:
        return "memory-only"
    return "fast" if tier < _DRAM_TIER else "slow"


def _hugetlb(path: str) -> dict[int, HugePool]:
    pools = {}
    for name in _names(path):  # hugepages-2048kB
        size = int(name.partition("-")[2].partition("kB")[0]) * 1024
        counts = (read_text(f"{path}/{name}/{which}_hugepages") for which in ("nr", "free"))
        pools[size] = HugePool(*map(int, counts))
    return dict(sorted(pools.items()))


def _performance(path: str) -> Performance | None:
    found = [int(_optional(f"{path}/{name}") or 0) for name in Performance._fields]
    return Performance(*found) if any(found) else None


def _tiers(path: str) -> dict[int, int]:
    """Tier by node (Documentation/ABI/testing/sysfs-kernel-mm-memory-tiers)."""
    tiers = {}
    for name in _names(path):
        if name.startswith("memory_tier"):
            for node in _node_set(f"{path}/{name}/nodelist"):
                tiers[node] = int(name[len("memory_tier") :])
    return tiers


def _devices(path: str) -> dict[int, str]:
    """Class by node of devices that serve as memory (Documentation/ABI/testing/sysfs-bus-dax).

    Where a device hangs in the tree tells what it is: below a dax_region of drivers/cxl, or below
    an ndbus of drivers/nvdimm. Others come from the memory map, and say nothing of their kind.
    """
    devices = {}
    for name in _names(path):
        device = os.path.realpath(f"{path}/{name}")
        if os.path.basename(os.path.realpath(f"{device}/driver")) != "kmem":
            continue
        node = int(_optional(f"{device}/target_node") or -1)
        if "/dax_region" in device:
            devices[node] = "cxl"
        elif "/ndbus" in device:
            devices[node] = "persistent"
    return devices


def _node_set(path: str) -> NodeMask:
    text = read_text(path).strip()
    return NodeMask(text) if text else NodeMask()


def _optional(path: str) -> str | None:
    try:
        return read_text(path).strip()
    except OSError:
        return None


def _names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []
