"""Processes that end while others use their pid, and pids that are given to the next one."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

import pytest

from support.credentials import check
from support.forks import fork

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h
_CLONE_VM = 0x100  # include/uapi/linux/sched.h
_STACK = 1 << 16  # bytes
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_ATTEMPTS = 100


def kill(pid: int) -> None:
    """Ends a child. It stays a zombie, so its pid is not given to another yet."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@contextmanager
def mortal(prepare: Callable[[], object] = lambda: None) -> Iterator[int]:
    """The pid of a child that has called ``prepare()``, and that may be ``buried`` in the block."""
    pid = _fork(prepare)
    try:
        yield pid
    finally:
        if _is_child(pid):
            bury(pid)


def bury(pid: int) -> None:
    """Ends a child and lets its pid go."""
    kill(pid)
    os.waitpid(pid, 0)


@contextmanager
def reborn(pid: int, prepare: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Another child, with the pid of one that was buried."""
    if not _LAST_PID.exists():
        pytest.skip("needs a kernel with CONFIG_CHECKPOINT_RESTORE, as the lab's are")
    for _ in range(_ATTEMPTS):  # somebody else may be faster
        _LAST_PID.write_text(str(pid - 1))
        child = _fork(prepare)
        if child == pid:
            break
        bury(child)
    else:
        pytest.fail(f"the pid {pid} was not to be had")
    try:
        yield
    finally:
        bury(pid)


@contextmanager
def outliving() -> Iterator[Callable[[], object]]:
    """Called by a child, it gives the child's memory to another process too, until the block ends.

    The child has to keep what it returns.
    """
    read, write = os.pipe()

    def share() -> object:
        stack = mmap.mmap(-1, _STACK)
        top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + _STACK
        how = _CLONE_VM | signal.SIGCHLD
        other = _libc.clone(_libc.pause, ctypes.c_void_p(top), how, None)
        check(min(other, 0))
        os.write(write, str(other).encode())
        return stack

    with open(read, "rb", buffering=0) as told, open(write, "wb"):
        try:
            yield share
        finally:
            os.kill(int(told.read(20)), signal.SIGKILL)


def hold_still(pid: int) -> None:
    """Stops a process, so that it changes no page; who asks a servant lets it go on first."""
    os.kill(pid, signal.SIGSTOP)
    stat = Path(f"/proc/{pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "T":
        os.sched_yield()


def fork_a_twin(prepare: Callable[[], object] = lambda: None) -> int:
    """Forks this process. The child shares its memory, calls ``prepare()``, and ends with it."""
    return _fork(prepare)


def _fork(prepare: Callable[[], object]) -> int:
    parent = os.getpid()
    read, write = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
            held = prepare()  # noqa: F841  kept alive
            os.write(write, b"1")
            while os.getppid() == parent:
                signal.pause()
        finally:
            os._exit(1)
    os.close(write)
    with open(read, "rb") as ready:
        if not ready.read(1):
            raise ChildProcessError("the child ended before it was ready")
    return pid


def _is_child(pid: int) -> bool:
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return False
    return True
