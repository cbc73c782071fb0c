"""fork(), when no lock is held that the child could never get."""

from __future__ import annotations

import os
import threading
import time


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
    while unknown := _others() - {str(thread.native_id) for thread in threading.enumerate()}:
        assert time.monotonic() < deadline, f"threads {unknown} do not end"
        time.sleep(0.0005)


def _others() -> set[str]:
    return set(os.listdir("/proc/self/task")) - {str(threading.get_native_id())}
