"""Processes that run ``pymigrate follow``, as the examples start them."""

from __future__ import annotations

import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

#: Options that make a follower quick.
QUICK = "--interval=50ms --settle=50ms --recheck=200ms"


def followers(pid: int) -> list[int]:
    """The pids of those that follow a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            continue  # it has ended
        if b"follow" in words and words[-1] == str(pid).encode():
            found.append(int(folder.name))
    return found


def wait_for_followers(pid: int, count: int, seconds: float = 300) -> list[int]:
    """Waits until so many follow a process; who they are."""
    deadline = time.monotonic() + seconds
    while len(followers(pid)) != count:
        assert time.monotonic() < deadline, f"{followers(pid)} follow {pid}, not {count}"
        time.sleep(0.02)
    return followers(pid)
