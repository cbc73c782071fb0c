"""Disks, made of files: what is written to them is in memory for a while."""

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


@contextmanager
def swap_on_disk(folder: Path) -> Iterator[None]:
    """Swap on a disk of 32 MiB, used before any other; what is in it at the end comes back."""
    if not Path("/dev/loop-control").exists():
        pytest.skip("needs the module loop; the lab's machine has it")
    image = folder / "swap"
    image.touch()
    os.truncate(image, _SIZE)
    device = _run("losetup", "--find", "--show", str(image))
    with ExitStack() as stack:
        stack.callback(_run, "losetup", "--detach", device)
        _run("mkswap", device)
        _run("swapon", "--priority", "100", device)
        stack.callback(_run, "swapoff", device)
        yield


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _file_systems() -> list[str]:
    return Path("/proc/filesystems").read_text().split()
