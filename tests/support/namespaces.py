"""User namespaces (user_namespaces(7)). For children: no way back."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from support.credentials import check
from support.forks import fork
from support.processes import in_child

_libc = ctypes.CDLL(None, use_errno=True)

_CLONE_NEWUSER = 0x10000000  # include/uapi/linux/sched.h

ALL_IDS = "0 0 4294967295"
"""The map of the initial namespace, which another one may have too."""


def needed() -> None:
    """Skips the test where nobody may make a user namespace."""
    try:
        in_child(_unshare)
    except OSError as error:
        pytest.skip(f"no user namespaces here ({error}); Debian's kernels have them")


def enter(ids: str, *, groups: bool = False) -> None:
    """Puts this process into a user namespace of its own, which has a map of ids.

    Somebody outside has to write the map, where it has more ids in it than the caller's.
    """
    inside, told = os.pipe()
    process = os.getpid()
    pid = fork()
    if pid == 0:
        os.close(told)
        os.read(inside, 1)
        try:
            Path(f"/proc/{process}/uid_map").write_text(ids, encoding="utf-8")
            if groups:
                Path(f"/proc/{process}/gid_map").write_text(ids, encoding="utf-8")
        finally:
            os._exit(0)
    _unshare()
    os.close(told)
    os.waitpid(pid, 0)
    os.close(inside)
    assert Path("/proc/self/uid_map").read_text(encoding="utf-8").strip()


def _unshare() -> None:
    check(_libc.unshare(_CLONE_NEWUSER))
