"""A file system that keeps what is written in memory until it is told to write."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.credentials import check
from support.kinds import setting

_NEVER = "360000"  # centiseconds: an hour
_SIZE = 32 << 20

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A disk of 32 MiB, mounted below a folder; the kernel writes to it when it is told to."""
    if not Path("/dev/loop-control").exists() or "minix" not in _file_systems():
        pytest.skip("needs the modules loop and minix; the lab's machine has them")
    image, place = folder / "image", folder / "disk"
    place.mkdir()
    image.touch()
    os.truncate(image, _SIZE)
    _run("mkfs.minix", "-3", str(image))
    with ExitStack() as stack:
        for name in ("dirty_writeback_centisecs", "dirty_expire_centisecs"):
            stack.enter_context(setting(f"/proc/sys/vm/{name}", _NEVER))
        _run("mount", "-t", "minix", "-o", "loop", str(image), str(place))
        stack.callback(lambda: check(_libc.umount2(os.fsencode(place), 0)))
        yield place


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _file_systems() -> list[str]:
    return Path("/proc/filesystems").read_text().split()
