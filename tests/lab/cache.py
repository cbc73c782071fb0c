"""Files that are costly to make, made once.

Everything lives below one folder that may be deleted at any time.
Entries appear complete or not at all, whoever else is making them.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Callable


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
    """
    path = folder() / name
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as room:
                draft = Path(room) / path.name
                make(draft)
                draft.rename(path)
    return path
