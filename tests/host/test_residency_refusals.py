"""Processes that end, become another, or may not be looked at."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Callable

import pytest
from support import mounts, requires
from support.credentials import NOBODY, check
from support.forks import fork
from support.mappings import striped
from support.processes import about_to_exec, as_user, ended, idle_process, in_child, zombie

from pymigrate.errors import (
    InvalidArgument,
    InvalidType,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    Unsupported,
)
from pymigrate.kernel._memory_files import MemoryFiles, open_memory_file
from pymigrate.kernel.resident import residency
from pymigrate.kernel.sample import sample_residency
from pymigrate.kernel.vma import Vma, vmas
from pymigrate.nodemask import NodeMask
from pymigrate.task import Task
from pymigrate.units import PAGE_SIZE

_libc = ctypes.CDLL(None, use_errno=True)


def mappings(pid: int) -> list[Vma]:
    return list(vmas(pid))


LOOKS: tuple[Callable[[int], object], ...] = (residency, mappings, sample_residency)

# -- the process ends, or becomes another


def test_nobody() -> None:
    pid = ended()
    for look in LOOKS:
        with pytest.raises(NoSuchProcess, match=rf"^pid {pid}: ") as caught:
            look(pid)
        assert (caught.value.errno, caught.value.reason) == (errno.ESRCH, "gone")


def test_zombie() -> None:
    with zombie() as pid, pytest.raises(NoUserMemory) as caught:
        residency(pid)
    assert caught.value.reason == "zombie"


def test_kernel_thread() -> None:
    try:
        if not Task.read(2).kernel_thread:
            pytest.skip("this pid namespace shows no kernel thread")
    except NoSuchProcess:
        pytest.skip("this pid namespace shows no kernel thread")
    for look in LOOKS:
        with pytest.raises(NoUserMemory) as caught:
            look(2)
        assert caught.value.reason == "kernel-thread"


def test_the_end_of_a_process_under_our_eyes() -> None:
    with idle_process() as pid, MemoryFiles(pid) as files:
        assert residency(pid, files=files).pages() > 0
        assert residency(pid, files=files).pages() > 0  # from the start again
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        for look in (lambda: residency(pid, files=files), lambda: list(vmas(pid, files=files))):
            with pytest.raises(NoUserMemory) as caught:
                look()
            assert caught.value.reason == "zombie"


def test_the_end_of_a_process_between_two_mappings() -> None:
    with idle_process(striped) as pid:
        found = vmas(pid)
        next(found)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises((NoUserMemory, NoSuchProcess)):
            list(found)


@contextmanager
def gone_with_open_files() -> Iterator[MemoryFiles]:
    """The files of a process that has ended since; nobody has to wait for it any more."""
    pid = fork()
    if pid == 0:
        threading.Event().wait()
    with MemoryFiles(pid) as files:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        yield files


@pytest.mark.parametrize("look", [residency, lambda pid, files: list(vmas(pid, files=files))])
def test_a_process_that_is_gone_before_its_files_are_read(look: Callable[..., object]) -> None:
    with gone_with_open_files() as files, pytest.raises(NoSuchProcess) as caught:
        look(files.pid, files=files)
    assert caught.value.reason == "gone"


def test_exec_under_our_eyes() -> None:
    with about_to_exec() as (pid, go), MemoryFiles(pid) as files:
        before = residency(pid, files=files)
        go()
        for look in (lambda: residency(pid, files=files), lambda: list(vmas(pid, files=files))):
            with pytest.raises(NoSuchProcess) as caught:
                look()
            assert caught.value.reason == "replaced"
        assert 0 < residency(pid).pages() < before.pages()


def test_a_process_that_maps_and_unmaps_all_the_time() -> None:
    def churn() -> threading.Thread:
        def work() -> None:
            while True:
                maps = [mmap.mmap(-1, PAGE_SIZE * size) for size in range(1, 60)]
                for each in maps:
                    each[0] = 1
                for each in maps:
                    each.close()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    with idle_process(churn) as pid:
        for _ in range(30):
            starts = [vma.start for vma in vmas(pid)]
            assert starts == sorted(set(starts))
            assert all(
                vma.end > vma.start and vma.pages.keys() <= {*NodeMask.online()}
                for vma in vmas(pid)
            )
            assert residency(pid).pages() > 0


# -- who may look


@requires.root
def test_the_process_of_another_user() -> None:
    with idle_process() as pid:
        for look in LOOKS:
            with pytest.raises(NotPermitted, match="CAP_SYS_PTRACE") as caught:
                as_user(NOBODY, partial(look, pid))
            assert (caught.value.pid, caught.value.reason) == (pid, "ptrace")


@requires.root
def test_a_process_that_proc_hides() -> None:
    def look_from_behind(pid: int) -> None:
        mounts.hide_processes(2)
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        residency(pid)

    with idle_process() as pid, pytest.raises(NotPermitted) as caught:
        in_child(lambda: look_from_behind(pid))
    assert caught.value.reason == "ptrace"


@requires.root
def test_a_kernel_without_numa() -> None:
    look_at_a_bare_folder(lambda: residency(0), "the kernel was built without NUMA")


@requires.root
@pytest.mark.parametrize("name", ["pagemap", "smaps", "smaps_rollup"])
def test_a_kernel_without_page_monitor(name: str) -> None:
    missing = rf"there is no /proc/self/{name}: .*CONFIG_PROC_PAGE_MONITOR"
    look_at_a_bare_folder(lambda: open_memory_file(0, name), missing)


def look_at_a_bare_folder(look: Callable[[], object], message: str) -> None:
    """Nothing of /proc can be taken away, but a folder can be covered."""

    def look_there() -> None:
        mounts.hide_processes(0)
        libc_mount(f"/proc/{os.getpid()}")
        look()

    with pytest.raises(Unsupported, match=message):
        in_child(look_there)


def libc_mount(place: str) -> None:
    """Covers a folder with an empty one."""
    check(_libc.mount(b"none", place.encode(), b"tmpfs", ctypes.c_ulong(0), None))


@pytest.mark.parametrize(
    "pid",
    [
        -1,
        2**31,
        pytest.param(10**5000, id="huge"),
        True,
        "1",
        "self",
        "1/../self",
        "0\0",
        1.0,
        None,
    ],
)
def test_no_pid(pid: object) -> None:
    for look in (*LOOKS, NodeMask.allowed):
        with pytest.raises(InvalidArgument if type(pid) is int else InvalidType):
            look(pid)  # type: ignore[arg-type]  # that is the point
