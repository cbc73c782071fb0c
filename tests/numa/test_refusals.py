"""What the kernel refuses on several nodes: which error, for which reason, and nothing moved."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest
from support import requires
from support.cpuset import cpuset, enter
from support.credentials import (
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    NOBODY,
    become,
    keep_capabilities,
    set_dumpable,
)
from support.fullness import full_node, too_many_pages
from support.memory import target
from support.processes import ended, in_child, zombie

from pymigrate import (
    KernelError,
    NodeMask,
    NodesRefused,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    migrate,
)
from pymigrate.task import Task

if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes

pytestmark = [pytest.mark.numa, requires.root]

LAYOUT = [0, 1, 2, 3] * 4
ABSENT = 1000
KTHREADD = 2

Prepare = Callable[[], object]


def privileged() -> None:
    """Prepares a process of root: there is nothing to do."""


def unprivileged() -> None:
    """Prepares a process of another user, without capabilities."""
    become(NOBODY)


def tracer() -> None:
    """Prepares a process that may move all others, but no page that is shared."""
    keep_capabilities(CAP_SYS_PTRACE)


def traceable() -> None:
    """Prepares a process of that user which the others of it may look into."""
    become(NOBODY)
    set_dumpable(True)


def refusal(
    owner: Prepare, caller: Prepare, old: Nodes, new: Nodes, layout: Sequence[int] = LAYOUT
) -> KernelError:
    """What a caller gets who wants to move the memory of an owner, of which nothing then moved."""
    with target(layout, owner) as process:
        with pytest.raises(KernelError) as refused:
            moved(caller, process.pid, old, new)
        assert refused.value.pid == process.pid
        assert process.nodes() == list(layout)
        assert process.intact()
    return refused.value


def moved(caller: Prepare, pid: int, old: Nodes, new: Nodes) -> int:
    """What ``migrate`` returns to a caller that was prepared so."""

    def call() -> int:
        caller()
        return migrate(pid, old, new)

    return in_child(call)


def verdict(error: KernelError) -> tuple[type[KernelError], int | None, str]:
    return type(error), error.errno, error.reason


# -- who may


def test_the_unprivileged_may_move_their_own() -> None:
    with target(LAYOUT, traceable) as process:
        assert moved(unprivileged, process.pid, "0-1", 3) == 0
        assert process.nodes() == [3, 3, 2, 3] * 4


def test_a_process_of_another_user() -> None:
    error = refusal(privileged, unprivileged, 0, 1)
    assert verdict(error) == (NotPermitted, errno.EPERM, "ptrace")
    assert "runs as uid 0, the caller as uid 65534" in str(error)


def test_a_process_that_is_not_dumpable() -> None:
    error = refusal(unprivileged, unprivileged, 0, 1)
    assert verdict(error) == (NotPermitted, errno.EPERM, "ptrace")
    assert "not dumpable" in str(error)


def test_cap_sys_nice_alone_is_not_enough() -> None:
    error = refusal(traceable, lambda: keep_capabilities(CAP_SYS_NICE), 0, 1)
    assert verdict(error) == (NotPermitted, errno.EPERM, "ptrace")


def test_cap_sys_ptrace_is_enough() -> None:
    with target(LAYOUT, traceable) as process:
        assert moved(tracer, process.pid, 0, 1) == 0
        assert process.nodes() == [1, 1, 2, 3] * 4


# -- the cpuset of the target


def confined(group: Path) -> Prepare:
    """Prepares a process in a cgroup that the unprivileged may move."""

    def prepare() -> None:
        enter(group)
        traceable()

    return prepare


@pytest.mark.parametrize("new", ["2", "1-2"])
def test_nodes_outside_the_cpuset_of_the_target(new: str) -> None:
    layout = [0, 1] * 4
    with cpuset("0-1") as group:
        error = refusal(confined(group), unprivileged, 0, new, layout)
    assert verdict(error) == (NotPermitted, errno.EPERM, "cpuset")
    assert "node 2 is outside its cpuset; name one of 0-1, or widen" in str(error)


def test_nodes_inside_the_cpuset_of_the_target() -> None:
    with cpuset("0-1") as group, target([0] * 4, confined(group)) as process:
        assert moved(unprivileged, process.pid, 0, 1) == 0
        assert process.nodes() == [1] * 4


def test_cap_sys_nice_leads_out_of_the_cpuset_of_the_target() -> None:
    with cpuset("0-1") as group, target([0] * 4, confined(group)) as process:
        assert moved(privileged, process.pid, 0, 2) == 0
        assert process.nodes() == [2] * 4


# -- the cpuset of the caller


def test_nothing_but_nodes_outside_the_cpuset_of_the_caller() -> None:
    with cpuset("0-1") as group:
        error = refusal(privileged, lambda: enter(group), 0, "2-3")
    assert verdict(error) == (NodesRefused, errno.EINVAL, "cpuset")
    assert "nodes 2-3 are outside the cpuset of the caller" in str(error)
    assert error.remedy == "name one of 0-1"


def test_nodes_outside_the_cpuset_of_the_caller_are_left_out() -> None:
    with cpuset("0-1") as group, target(LAYOUT) as process:
        assert moved(lambda: enter(group), process.pid, "2-3", "1,3") == 0
        assert process.nodes() == [{2: 1, 3: 1}.get(node, node) for node in LAYOUT]


# -- nodes that cannot have memory


def test_an_absent_node_for_the_unprivileged() -> None:
    error = refusal(traceable, unprivileged, 0, [1, ABSENT])
    assert verdict(error) == (NotPermitted, errno.EPERM, "cpuset")
    assert f"node {ABSENT} is not there; name one of " in str(error)


def test_an_absent_node_for_the_privileged() -> None:
    error = refusal(privileged, privileged, 0, ABSENT)
    assert verdict(error) == (NodesRefused, errno.EINVAL, "no-memory-node")
    assert f"node {ABSENT} is not there" in str(error)


def test_an_absent_node_among_others_is_left_out_for_the_privileged() -> None:
    with target(LAYOUT) as process:
        assert moved(privileged, process.pid, [2, ABSENT], [0, ABSENT]) == 0
        assert process.nodes() == [0, 1, 0, 3] * 4


@pytest.mark.parametrize("caller", [privileged, unprivileged])
def test_a_node_that_the_kernel_is_not_built_for(caller: Prepare) -> None:
    limit = Task.read(0).max_nodes
    error = refusal(traceable, caller, 0, [1, limit])
    assert verdict(error) == (NodesRefused, errno.EINVAL, "too-large")
    assert f"node {limit}: this kernel is built for nodes 0-{limit - 1}" in str(error)


@requires.bare_node
def test_a_node_without_memory() -> None:
    bare = NodeMask.online() - NodeMask.has_memory()
    error = refusal(privileged, privileged, 0, bare)
    assert verdict(error) == (NodesRefused, errno.EINVAL, "no-memory-node")
    assert f"node {bare} is not there or without memory" in str(error)


# -- processes without memory


def test_a_dead_process() -> None:
    with pytest.raises(NoSuchProcess) as refused:
        migrate(ended(), 0, 1)
    assert verdict(refused.value) == (NoSuchProcess, errno.ESRCH, "gone")


def test_a_zombie() -> None:
    with zombie() as pid, pytest.raises(NoUserMemory) as refused:
        migrate(pid, 0, 1)
    assert verdict(refused.value) == (NoUserMemory, errno.EINVAL, "zombie")


def test_a_kernel_thread() -> None:
    assert Task.read(KTHREADD).kernel_thread, "pid 2 is none here: run this outside of a container"
    with pytest.raises(NoUserMemory) as refused:
        migrate(KTHREADD, 0, 1)
    assert verdict(refused.value) == (NoUserMemory, errno.EINVAL, "kernel-thread")


# -- no room


def test_a_full_node() -> None:
    """What moved before it was full stays there, and the rest moves when there is room again.

    What the process shares with this one stays where it is, or it would take the room first.
    """
    with contextlib.ExitStack() as until_released:
        until_released.enter_context(full_node(3, spare=48 << 20))
        too_many = too_many_pages(3)
        with target([0] * too_many) as process:
            with pytest.raises(OutOfMemory) as refused:
                moved(tracer, process.pid, 0, 3)
            assert verdict(refused.value) == (OutOfMemory, errno.ENOMEM, "no-memory")
            assert set(process.nodes()) == {0, 3}
            assert process.intact()
            until_released.close()
            assert moved(tracer, process.pid, 0, 3) == 0
            assert process.nodes() == [3] * too_many
            assert process.intact()
