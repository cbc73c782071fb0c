"""A caller that can open few more files, or none."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["files_left", "out_of_files"]


def out_of_files() -> None:
    """From now on each open(2) of this process fails with EMFILE (getrlimit(2)): for children."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 1024))


@contextmanager
def files_left(count: int) -> Iterator[None]:
    """So many can be opened meanwhile. The limit is on numbers, of which the lowest come first."""
    free = (number for number in range(3, 1024) if not os.path.lexists(f"/proc/self/fd/{number}"))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(count):
        next(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(free), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
