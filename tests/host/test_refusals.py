"""Every refusal that one node suffices for, provoked for real: its type, reason and message."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest
from support import mounts, requires, seccomp
from support.credentials import (
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    NOBODY,
    become,
    keep_capabilities,
    set_dumpable,
)
from support.processes import as_user, ended, idle_process, in_child, unprivileged, zombie

from pymigrate import (
    Cpuset,
    Eviction,
    InvalidArgument,
    KernelError,
    Migration,
    NodeMask,
    NodesRefused,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    Unsupported,
    check,
    check_eviction,
    migrate,
    residency,
    sample_residency,
)
from pymigrate.errors import GONE_REMEDY
from pymigrate.kernel.process import Process
from pymigrate.task import Task

HERE = NodeMask.has_memory()


def absent() -> int:
    """A node that is not there, though the kernel could have it."""
    missing = set(range(Task.read(0).max_nodes)) - NodeMask.possible()
    if not missing:
        pytest.skip("every node that this kernel is built for is there; the lab's has fewer")
    return min(missing)


def kernel_thread() -> int:
    """kthreadd, from which all the others come."""
    try:
        if Task.read(2).kernel_thread:
            return 2
    except NoSuchProcess:
        pass
    pytest.skip("this pid namespace shows no kernel thread; outside of a container there is one")


# -- no such process


@pytest.mark.parametrize("pid", [0, 2**31 - 1])
def test_nobody(pid: int) -> None:
    pid = pid or ended()
    with pytest.raises(NoSuchProcess) as refusal:
        migrate(pid, HERE, HERE)
    error = refusal.value
    assert isinstance(error, ProcessLookupError)
    assert (error.errno, error.reason, error.pid) == (errno.ESRCH, "gone", pid)
    assert (error.old, error.new) == (HERE, HERE)
    assert str(error).startswith(f"pid {pid}, nodes {HERE} -> {HERE}: ")
    assert "look its id up again" in error.remedy


def test_a_negative_pid() -> None:
    with pytest.raises(InvalidArgument, match="pid -5"):
        migrate(-5, HERE, HERE)


# -- the check of ptrace(2)


@requires.root
def test_a_process_of_another_user() -> None:
    with idle_process() as pid, pytest.raises(NotPermitted) as refusal:
        as_user(NOBODY, lambda: migrate(pid, HERE, HERE))
    error = refusal.value
    assert isinstance(error, PermissionError)
    assert (error.errno, error.reason, error.pid) == (errno.EPERM, "ptrace", pid)
    assert "runs as uid 0, the caller as uid 65534" in str(error)
    assert "CAP_SYS_PTRACE" in error.remedy


@requires.root
def test_a_process_that_can_change_back_to_another_user() -> None:
    def half_way() -> None:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
        keep_capabilities()
        set_dumpable(True)

    with idle_process(half_way) as pid, pytest.raises(NotPermitted) as refusal:
        as_user(NOBODY, lambda: migrate(pid, HERE, HERE))
    assert refusal.value.reason == "ptrace"
    assert "uids 65534/65534/0 (real/effective/saved)" in str(refusal.value)


@requires.root
def test_a_process_of_another_group() -> None:
    def same_user() -> None:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        set_dumpable(True)

    with idle_process(same_user) as pid, pytest.raises(NotPermitted) as refusal:
        as_user(NOBODY, lambda: migrate(pid, HERE, HERE))
    assert refusal.value.reason == "ptrace"
    assert "with gid 0, the caller with gid 65534" in str(refusal.value)


@requires.root
def test_a_process_with_more_capabilities() -> None:
    def lesser_root() -> None:
        keep_capabilities()
        migrate(pid, HERE, HERE)

    with idle_process() as pid, pytest.raises(NotPermitted) as refusal:
        in_child(lesser_root)
    assert refusal.value.reason == "ptrace"
    assert "capabilities" in str(refusal.value)


def same_user(dumpable: bool) -> None:
    """Prepares a child that differs from ``unprivileged`` ones in nothing but this."""
    if os.geteuid() == 0:
        become(NOBODY)
    set_dumpable(dumpable)


def test_a_process_that_is_not_dumpable() -> None:
    shielded = idle_process(lambda: same_user(dumpable=False))
    with shielded as pid, pytest.raises(NotPermitted) as refusal:
        unprivileged(lambda: migrate(pid, HERE, HERE))
    assert refusal.value.reason == "ptrace"
    assert "not dumpable" in str(refusal.value)


def test_a_process_of_the_same_user_is_not_refused() -> None:
    with idle_process(lambda: same_user(dumpable=True)) as pid:
        assert unprivileged(lambda: migrate(pid, HERE, HERE)) == 0


@requires.root
def test_cap_sys_nice_alone_is_not_enough() -> None:
    def nice() -> int:
        keep_capabilities(CAP_SYS_NICE)
        return migrate(pid, HERE, HERE)

    with idle_process(lambda: become(NOBODY)) as pid, pytest.raises(NotPermitted) as refusal:
        in_child(nice)
    assert refusal.value.reason == "ptrace"


@requires.root
def test_cap_sys_ptrace_is_enough() -> None:
    def tracer() -> int:
        keep_capabilities(CAP_SYS_PTRACE)
        return migrate(pid, HERE, HERE)

    with idle_process(lambda: become(NOBODY)) as pid:
        assert in_child(tracer) == 0


# -- nodes


def test_an_absent_node_for_the_unprivileged() -> None:
    node = absent()
    with pytest.raises(NotPermitted) as refusal:
        unprivileged(lambda: migrate(0, HERE, HERE | {node}))
    assert (refusal.value.errno, refusal.value.reason) == (errno.EPERM, "cpuset")
    assert f"node {node} is not there; name " in str(refusal.value)
    assert str(NodeMask.allowed()) in refusal.value.remedy


@requires.root
def test_an_absent_node_is_left_out_for_the_privileged() -> None:
    assert migrate(0, HERE, HERE | {absent()}) == 0


@requires.root
def test_nothing_but_absent_nodes_for_the_privileged() -> None:
    node = absent()
    with pytest.raises(NodesRefused) as refusal:
        migrate(0, HERE, node)
    error = refusal.value
    assert isinstance(error, ValueError)
    assert (error.errno, error.reason) == (errno.EINVAL, "no-memory-node")
    assert f"node {node} is not there" in str(error)
    assert str(NodeMask.allowed()) in error.remedy


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_node_that_the_kernel_is_not_built_for(side: str) -> None:
    node = Task.read(0).max_nodes
    if node == NodeMask.LIMIT:
        pytest.skip("this kernel is built for as many nodes as a NodeMask has; others are not")
    nodes = {"old": HERE, "new": HERE, side: HERE | {node}}
    with pytest.raises(NodesRefused) as refusal:
        migrate(0, nodes["old"], nodes["new"])
    assert (refusal.value.errno, refusal.value.reason) == (errno.EINVAL, "too-large")
    assert f"node {node}: this kernel is built for nodes 0-{node - 1}" in str(refusal.value)


# -- no memory


@requires.root
def test_a_kernel_thread() -> None:
    pid = kernel_thread()
    with pytest.raises(NoUserMemory, match=f"pid {pid}, .* kernel thread") as refusal:
        migrate(pid, HERE, HERE)
    assert (refusal.value.errno, refusal.value.reason) == (errno.EINVAL, "kernel-thread")


def test_a_kernel_thread_for_the_unprivileged() -> None:
    pid = kernel_thread()
    with pytest.raises(NotPermitted) as refusal:
        unprivileged(lambda: migrate(pid, HERE, HERE))
    assert (refusal.value.errno, refusal.value.reason) == (errno.EPERM, "ptrace")


def test_a_zombie() -> None:
    with zombie() as pid, pytest.raises(NoUserMemory, match=f"pid {pid}, .* zombie") as refusal:
        migrate(pid, HERE, HERE)
    assert (refusal.value.errno, refusal.value.reason) == (errno.EINVAL, "zombie")


def test_an_absent_node_for_a_zombie() -> None:
    node = absent()

    def refused() -> None:
        set_dumpable(True)  # or that is what newer kernels refuse, task_still_dumpable()
        with zombie() as pid:
            migrate(pid, HERE, HERE | {node})

    with pytest.raises(NotPermitted) as refusal:
        unprivileged(refused)
    assert refusal.value.reason == "cpuset"


# -- somebody else answers


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (errno.EPERM, NotPermitted, "sandbox"),
        (errno.ENOSYS, Unsupported, "sandbox"),
        (errno.EACCES, NotPermitted, "sandbox"),
        (errno.ENOMEM, OutOfMemory, "no-memory"),
        (errno.ESRCH, NoSuchProcess, "gone"),
        (errno.EINVAL, NodesRefused, "unknown"),
        (errno.EIO, KernelError, "unknown"),
    ],
)
def test_a_filter_that_refuses(number: int, kind: type[KernelError], reason: str) -> None:
    def sandboxed() -> None:
        seccomp.refuse(number)
        migrate(0, HERE, HERE)

    for run in (in_child, unprivileged):
        with pytest.raises(kind) as refusal:
            run(sandboxed)
        assert type(refusal.value) is kind
        assert (refusal.value.errno, refusal.value.reason) == (number, reason)
        assert os.strerror(number) in str(refusal.value)


def test_a_filter_that_lets_the_caller_itself_through_is_not_what_refused() -> None:
    def refused() -> None:
        with ThreadPoolExecutor(1) as pool:
            listener = seccomp.intercept()
            for result in (-errno.EACCES, 0):  # of the call, and of the question whether it is that
                pool.submit(seccomp.answer, listener, result)
            migrate(0, HERE, HERE)

    with pytest.raises(NotPermitted) as refusal:
        in_child(refused)
    assert (refusal.value.errno, refusal.value.reason) == (errno.EACCES, "security-module")


@requires.root
def test_a_filter_is_not_taken_for_the_cpuset_of_the_privileged() -> None:
    node = absent()

    def sandboxed() -> None:
        seccomp.refuse(errno.EPERM)
        migrate(0, HERE, HERE | {node})

    with pytest.raises(NotPermitted) as refusal:
        in_child(sandboxed)
    assert refusal.value.reason == "sandbox"


# -- where the cause cannot be looked up


@requires.root
def test_where_the_cause_cannot_even_be_imported(tmp_path: Path) -> None:
    """A daemon may have left the root that it was started in."""
    program = (
        "import os, sys, pymigrate\n"
        "os.chroot(sys.argv[1]); os.chdir('/')\n"
        "try: pymigrate.migrate(2**31 - 1, 0, 0)\n"
        "except pymigrate.NoSuchProcess as error: print(error.errno, error.pid, error.remedy)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/")
    assert done.stderr == ""
    assert done.stdout.startswith(f"{errno.ESRCH} {2**31 - 1} import pymigrate.diagnose before")


@requires.root
@pytest.mark.parametrize("hidepid", [1, 2])
def test_a_process_that_proc_hides(hidepid: int) -> None:
    def blindfolded() -> None:
        mounts.hide_processes(hidepid)
        become(NOBODY)
        migrate(pid, HERE, HERE)

    with idle_process() as pid, pytest.raises(NotPermitted) as refusal:
        in_child(blindfolded)
    assert (refusal.value.errno, refusal.value.pid) == (errno.EPERM, pid)


LOOKS: tuple[Callable[[int], object], ...] = (
    residency,
    sample_residency,
    NodeMask.allowed,
    Cpuset.of,
    Process,
    lambda pid: check(pid, HERE, HERE),
    lambda pid: check_eviction(pid, HERE, ()),
    lambda pid: Migration(pid, HERE, HERE).run(),
    lambda pid: Eviction(pid, HERE, ()).run(),
)


@requires.root
@pytest.mark.parametrize("hidepid", [1, 2, 4])
def test_whoever_looks_tells_what_proc_hides_from_what_is_gone(hidepid: int) -> None:
    def blindfolded() -> list[KernelError]:
        mounts.hide_processes(hidepid)
        become(NOBODY)
        errors = []
        for number in (pid, nobody):
            for look in LOOKS:
                with pytest.raises(KernelError) as refusal:
                    look(number)
                errors.append(refusal.value)
        return errors

    nobody = ended()
    with idle_process() as pid:
        errors = in_child(blindfolded)
    hidden, gone = errors[: len(LOOKS)], errors[len(LOOKS) :]
    assert {(type(error), error.reason) for error in hidden} == {(NotPermitted, "ptrace")}
    assert {(type(error), error.reason) for error in gone} == {(NoSuchProcess, "gone")}
    assert {error.cause for error in hidden[2:]} == {
        "its /proc is hidden from this user (mount option hidepid, see proc(5))"
    }
    assert {(error.cause, error.remedy) for error in gone} == {
        ("there is no process or thread with that id (any more)", GONE_REMEDY)
    }


@requires.root
def test_nodes_that_sys_does_not_show() -> None:
    node = absent()

    def blindfolded() -> None:
        mounts.hide_nodes()
        migrate(0, HERE, node)

    with pytest.raises(KernelError) as refusal:
        in_child(blindfolded)
    assert refusal.value.errno == errno.EINVAL
    assert refusal.value.new == {node}
