"""fork(), when no lock is held that the child could never get."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")


def fork() -> int:
    """Forks this process as os.fork() does, once the threads that were joined have really ended.

    join() returns before the system's thread is through with its end, and by then it may hold the
    lock of the allocator. glibc frees its own in the child; that of gcc 12's AddressSanitizer stays
    locked there for ever (fork(2) copies the calling thread alone).
    """
    _wait_for_ended_threads()
    return os.fork()


def _wait_for_ended_threads(seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while unknown := _at_work() - {thread.native_id for thread in threading.enumerate()}:
        assert time.monotonic() < deadline, f"threads {unknown} do not end"
        time.sleep(0.0005)


def _at_work() -> set[int | None]:
    """Other threads that do not sleep. One that does is not ending: qemu-user has such a one."""
    others = {int(name) for name in os.listdir(_TASKS)} - {threading.get_native_id()}
    return {task for task in others if _state(task) not in "SX"}


def _state(task: int) -> str:
    with suppress(OSError):
        return (_TASKS / str(task) / "stat").read_text().rpartition(")")[2].split()[0]
    return "X"  # it has ended
