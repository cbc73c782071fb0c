"""Children of the test process: what they are told to do, they do for real.

They are made by fork without exec, so a function and all that it refers to is simply there, and
nothing is imported anew. A child never returns into the test runner: it ends here.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Generic, TypeVar

# Imported by the library when it is needed, and by then a child may be a user who cannot read it.
import pymigrate.diagnose  # noqa: F401
from support.credentials import NOBODY, become
from support.forks import fork

T = TypeVar("T")
R = TypeVar("R")


def in_child(function: Callable[[], T]) -> T:
    """Calls a function in a child, and returns its result or raises its exception.

    Both travel by pickle. An exception's ``__cause__`` is its traceback in the child.
    """

    def life(parent: socket.socket) -> None:
        parent.sendall(pickle.dumps((function(), None, "")))

    with _child(life) as (_, child):
        result: T = _receive(child)
    return result


def as_user(uid: int, function: Callable[[], T]) -> T:
    """Calls a function in a child of another user and group, which has no capabilities."""

    def as_other() -> T:
        become(uid)
        return function()

    return in_child(as_other)


def unprivileged(function: Callable[[], T]) -> T:
    """Calls a function in a child without capabilities, of this user or, for root, of nobody."""
    return as_user(NOBODY, function) if os.geteuid() == 0 else in_child(function)


class Servant(Generic[T]):
    """Another process, which holds an object and does with it what it is asked to.

    Attributes:
        pid: Its id.
    """

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line

    def ask(self, function: Callable[..., R], *arguments: object) -> R:
        """Calls a function there: with the object, and with arguments.

        All travel by pickle, so it is one that has a name: of a module, or of a class.
        """
        os.kill(self.pid, signal.SIGCONT)  # somebody may hold it still
        self._line.sendall(pickle.dumps((function, arguments)))
        result: R = _receive(self._line)
        return result


@contextmanager
def servant(prepare: Callable[[], T]) -> Iterator[Servant[T]]:
    """A child that holds what ``prepare()`` returned there, and is ended with the block.

    What ``prepare`` raises is raised here.
    """

    def life(parent: socket.socket) -> None:
        held = prepare()
        parent.sendall(pickle.dumps((None, None, "")))
        with parent.makefile("rb") as requests:
            while requests.peek(1):  # until the test process closes its end, or is gone
                function, arguments = pickle.load(requests)  # noqa: S301  from our own parent
                parent.sendall(pickle.dumps((function(held, *arguments), None, "")))

    with _child(life) as (pid, child):
        _receive(child)
        yield Servant(pid, child)


@contextmanager
def idle_process(prepare: Callable[[], object] = lambda: None) -> Iterator[int]:
    """The pid of a child that has called ``prepare()``, and does nothing more.

    It keeps what ``prepare`` returned, and is ended with the block.
    """
    with servant(prepare) as child:
        _wait_until_asleep(child.pid)
        yield child.pid


def _wait_until_asleep(pid: int, seconds: float = 60) -> None:
    """Wait until a child that has answered waits for a request: on its way it touches pages."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < deadline, f"{pid} is not at rest after {seconds} s"
        time.sleep(0.0005)


@contextmanager
def zombie() -> Iterator[int]:
    """The pid of a child that has ended, and for which nobody waits before the end of the block."""
    pid = fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        yield pid
    finally:
        os.waitpid(pid, 0)


@contextmanager
def about_to_exec() -> Iterator[tuple[int, Callable[[], None]]]:
    """The pid of a child, and what makes it another program, sleep(1)."""
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        os.read(reader, 1)
        os.execv("/bin/sleep", ["sleep", "60"])  # noqa: S606  that is how it is done

    def go() -> None:
        # Its memory is there for a moment after /proc/PID/exe is another: exec_mmap() in fs/exec.c.
        maps = os.open(f"/proc/{pid}/maps", os.O_RDONLY)
        os.write(writer, b"x")
        while os.pread(maps, 1, 0):
            time.sleep(0.001)
        os.close(maps)

    try:
        yield pid, go
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)


def ended() -> int:
    """A pid that belonged to a child and belongs to nobody now."""
    with zombie() as pid:
        return pid


@contextmanager
def _child(life: Callable[[socket.socket], None]) -> Iterator[tuple[int, socket.socket]]:
    """A child that leads a life, and the line to it."""
    here, there = socket.socketpair()
    pid = fork()
    if pid == 0:
        here.close()
        _live(life, there)
    there.close()
    try:
        with here:
            yield pid, here
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _live(life: Callable[[socket.socket], None], parent: socket.socket) -> None:
    try:
        life(parent)
    except BaseException as error:
        parent.sendall(pickle.dumps((None, error, traceback.format_exc())))
    finally:
        os._exit(0)


def _receive(child: socket.socket) -> Any:
    with child.makefile("rb") as file:
        if not file.peek(1):
            raise ChildProcessError("the child ended without an answer")
        result, error, where = pickle.load(file)  # noqa: S301  from our own child
    if error is not None:
        raise error from ChildProcessError(where)
    return result
