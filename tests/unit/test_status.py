"""/proc/PID/status of kernels that leave something out."""

from __future__ import annotations

import errno

import pytest

from pymigrate import NodeMask, Unsupported, _files
from pymigrate.jobs.places import Places
from pymigrate.kernel.nodes import Node, Topology
from pymigrate.task import Task

STATUS = (
    "Name:\tdaemon\nState:\tS (sleeping)\nTgid:\t17\nPid:\t17\nUid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\n"
    "Threads:\t1\nCapPrm:\t0\nCapEff:\t0\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n"
    "voluntary_ctxt_switches:\t1\n"
)


@pytest.fixture(params=["0-2", None])
def allowed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NodeMask:
    """The nodes of a kernel without cpusets (CONFIG_CPUSETS), with NUMA or without."""

    def possible(name: str) -> str:
        assert name == "possible"
        if request.param:
            return str(request.param)
        raise Unsupported(errno.ENOSYS, "there is no such file", pid=0)

    monkeypatch.setattr(_files, "read_text", lambda path: STATUS)
    monkeypatch.setattr(_files, "read_bytes", lambda path: STATUS.encode())
    monkeypatch.setattr(_files, "read_node_set", possible)
    return NodeMask(request.param or "0")


def test_without_cpusets_a_process_may_have_memory_wherever_there_can_be_some(
    allowed: NodeMask,
) -> None:
    assert NodeMask.allowed(17) == allowed
    task = Task.read(17)
    assert (task.allowed, task.max_nodes) == (allowed, 1024)
    whole = _files.read_status(17)
    assert _files.read_status_fields(17, ["Mems_allowed"]) == [whole["Mems_allowed"]]


def test_without_cpusets_memory_has_a_home(allowed: NodeMask) -> None:
    machine = Topology(
        {n: Node(n, frozenset({n}), 9, 9, {0: 10, 1: 20}, {}, "dram", None, None) for n in (0, 1)},
        NodeMask("0-2"),
        None,
    )
    assert Places(machine).of(17) == {0, 1} & allowed
