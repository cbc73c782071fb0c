"""Files that are costly to make, made once.

Everything lives below one folder that may be deleted at any time.
Entries appear complete or not at all, whoever else is making them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from lab.errors import LabError


def folder() -> Path:
    """Return the root of the cache, following the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pymigrate-lab"


def entry(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cache's file or folder `name`, making it if it is not there.

    Args:
        name: Path below the cache's root. It has to change whenever the content would.
        make: Writes the entry to the path it is given. Runs in one process at a time.

    Returns:
        The path of the complete entry.

    Raises:
        LabError: There can be no cache there.
    """
    path = folder() / name
    with _told_where():
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path.with_name(f".{path.name}.lock"), "w")  # noqa: SIM115  closed below
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as room:
                draft = Path(room) / path.name
                make(draft)
                draft.rename(path)
    return path


@contextlib.contextmanager
def _told_where() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{error.filename}: {error.strerror}: no cache can be there, "
            "set XDG_CACHE_HOME to a folder in which one can be"
        ) from error
