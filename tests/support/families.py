"""Processes that belong together: a parent and its children, in a session of their own."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.processes import Servant, servant


def fork(life: list[int]) -> int:
    """A child of the process in which this is called; it waits to be killed with its parent."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: SIGKILL
        os.write(writer, b".")
        threading.Event().wait()
    os.read(reader, 1)
    life.append(pid)
    return pid


@contextmanager
def family() -> Iterator[tuple[Servant[list[int]], list[int]]]:
    """A process with two children, in a session of its own."""

    def prepare() -> list[int]:
        os.setsid()
        return []

    with servant(prepare) as parent:
        yield parent, sorted([parent.pid, parent.ask(fork), parent.ask(fork)])
