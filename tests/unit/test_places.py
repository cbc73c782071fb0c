"""Where the memory of a process ought to be, on machines that are made up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pymigrate import InvalidArgument, Node, NodeMask, Topology, _files
from pymigrate.jobs.places import Places
from pymigrate.kernel.threads import RecentCpus


def node(number: int, cpus: set[int], memory: int = 1 << 30) -> Node:
    distances = {other: 10 if other == number else 20 + abs(other - number) for other in range(5)}
    return Node(number, frozenset(cpus), memory, memory, distances, {}, "dram", None, None)


# Nodes 0 and 1 have CPUs and memory, node 2 CPUs alone, and node 3 memory alone.
MACHINE = Topology(
    {n.number: n for n in (node(0, {0, 1}), node(1, {2, 3}), node(2, {4}, 0), node(3, set()))},
    NodeMask("0-3"),
    None,
)


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The status of process 17, which has one thread."""
    fields = {"Mems_allowed": "0000000f", "Cpus_allowed_list": "0-4", "Threads": "1"}

    def read(pid: int, names: Sequence[str]) -> list[str]:
        assert pid == 17
        return [fields[name] for name in names]

    monkeypatch.setattr(_files, "read_status_fields", read)
    return fields


@pytest.mark.parametrize(
    ("cpus", "allowed", "inside"),
    [
        ("0", "f", "0"),
        ("1-2", "f", "0-1"),
        ("0-4", "f", "0-1"),
        ("4", "f", "1"),  # a node without memory: the nearest that has some
        ("0", "2", "1"),  # not in the cpuset
        ("0-3", "8", "3"),
        ("0,4000", "f", "0"),  # a CPU that is not there
    ],
)
def test_by_affinity(status: dict[str, str], cpus: str, allowed: str, inside: str) -> None:
    status.update(Cpus_allowed_list=cpus, Mems_allowed=allowed)
    assert Places(MACHINE).of(17) == NodeMask(inside)


def test_by_cpuset(status: dict[str, str]) -> None:
    status.update(Mems_allowed="0000000e")
    assert Places(MACHINE, "cpuset").of(17) == NodeMask("1,3")
    assert Places(MACHINE, "cpuset").moves(17) == {0: 1}


def test_by_what_ran(status: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cpus = {17: {3}}
    monkeypatch.setattr(RecentCpus, "of", lambda self, pid: cpus[pid])
    assert Places(MACHINE, "ran").of(17) == NodeMask(1)
    cpus[17] = {0, 3}
    assert Places(MACHINE, "ran").of(17) == NodeMask("0-1")


def test_the_same_for_all(status: dict[str, str]) -> None:
    assert Places(MACHINE, nodes=NodeMask(1)).of(17) == NodeMask(1)
    status["Mems_allowed"] = "1"
    assert Places(MACHINE, nodes=NodeMask(1)).of(17) == NodeMask(0)


def test_memory_without_cpus_is_left_alone(status: dict[str, str]) -> None:
    status["Cpus_allowed_list"] = "0"
    assert Places(MACHINE).moves(17) == {1: 0}
    assert Places(MACHINE).away(NodeMask(0)) == NodeMask(1)


def test_unless_the_cpuset_forbids_it(status: dict[str, str]) -> None:
    status["Mems_allowed"] = "3"
    assert Places(MACHINE, "cpuset").moves(17) == {3: 1}


def test_a_map_is_never_empty(status: dict[str, str]) -> None:
    assert Places(MACHINE).moves(17) == {0: 0, 1: 1}
    status["Mems_allowed"] = "4"  # a node without memory
    assert Places(MACHINE).of(17) == NodeMask()
    assert all(source == target for source, target in Places(MACHINE).moves(17).items())


def test_partners(status: dict[str, str]) -> None:
    status["Mems_allowed"] = "a"
    assert Places(MACHINE, "cpuset").moves(17) == {0: 1}
    assert Places(MACHINE, "cpuset").moves(17, {0: 3}) == {0: 3}


def test_by_something_else() -> None:
    with pytest.raises(InvalidArgument, match="one of affinity, ran, cpuset"):
        Places(MACHINE, "luck")
