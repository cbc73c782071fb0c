"""Task tells of a process what the process knows of itself."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import requires, seccomp
from support.credentials import (
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    NOBODY,
    keep_capabilities,
    set_dumpable,
)
from support.processes import as_user, ended, idle_process, in_child, zombie

from pymigrate import NodeMask, NoSuchProcess
from pymigrate.task import Task


def test_the_caller() -> None:
    task = Task.read(0)
    assert (task.pid, task.group) == (threading.get_native_id(), os.getpid())
    assert task.uids == os.getresuid()
    assert task.gids == os.getresgid()
    assert task.allowed == NodeMask.allowed()
    assert task.max_nodes > task.allowed.highest
    assert not task.zombie
    assert not task.kernel_thread
    assert task.may_trace(task)


def test_a_thread_of_the_caller() -> None:
    with ThreadPoolExecutor(1) as pool:
        thread = pool.submit(threading.get_native_id).result()
        assert pool.submit(Task.read, 0).result() == Task.read(thread)
        task = Task.read(thread)
    assert (task.pid, task.group) == (thread, os.getpid())
    assert Task.read(0).may_trace(task)


def test_another_process() -> None:
    with idle_process() as pid:
        task = Task.read(pid)
    assert (task.pid, task.group) == (pid, pid)
    assert dataclasses.replace(task, pid=0, group=0) == dataclasses.replace(
        Task.read(0), pid=0, group=0
    )


def test_nobody() -> None:
    with pytest.raises(NoSuchProcess):
        Task.read(ended())


@requires.root
def test_real_effective_and_saved_ids() -> None:
    def mixed() -> Task:
        os.setresgid(11, 12, 13)
        os.setresuid(21, 22, 23)
        return Task.read(0)

    task = in_child(mixed)
    assert (task.uids, task.gids) == ((21, 22, 23), (11, 12, 13))


@requires.root
def test_capabilities() -> None:
    def kept() -> Task:
        keep_capabilities(CAP_SYS_NICE)
        return Task.read(0)

    task = in_child(kept)
    assert task.capabilities == task.permitted == 1 << CAP_SYS_NICE
    assert task.can(CAP_SYS_NICE)
    assert not task.can(CAP_SYS_PTRACE)
    assert as_user(NOBODY, lambda: Task.read(0)).capabilities == 0


def test_a_filter() -> None:
    def filtered() -> tuple[bool, bool]:
        before = Task.read(0).filtered
        seccomp.refuse(errno.EPERM)
        return before, Task.read(0).filtered

    outside = Task.read(0).filtered
    assert in_child(filtered) == (outside, True)


def test_a_zombie() -> None:
    with zombie() as pid:
        assert Task.read(pid).zombie
    with idle_process() as pid:
        assert not Task.read(pid).zombie


@requires.root
@pytest.mark.parametrize("dumpable", [True, False])
def test_dumpable(dumpable: bool) -> None:
    def prepare() -> None:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        set_dumpable(dumpable)

    with idle_process(prepare) as pid:
        assert Task.read(pid).dumpable is dumpable
