"""A file system that keeps what is written in memory until it is told to write, as on a disk."""

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

_CONTROL = Path("/sys/class/zram-control")
_NEVER = "360000"  # centiseconds: an hour

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def disk(folder: Path, size: str = "32M") -> Iterator[Path]:
    """A disk (in compressed memory), mounted on a folder; the kernel writes to it when asked to."""
    if not _CONTROL.exists() or "minix" not in Path("/proc/filesystems").read_text():
        pytest.skip("needs the modules zram and minix; the lab's machine has them")
    number = (_CONTROL / "hot_add").read_text().strip()
    device = f"/dev/zram{number}"
    with ExitStack() as stack:
        stack.callback((_CONTROL / "hot_remove").write_text, number)
        Path(f"/sys/block/zram{number}/disksize").write_text(size)
        subprocess.run(["mkfs.minix", "-3", device], check=True, stdout=subprocess.DEVNULL)
        for name in ("dirty_writeback_centisecs", "dirty_expire_centisecs"):
            stack.enter_context(setting(f"/proc/sys/vm/{name}", _NEVER))
        place = os.fsencode(folder)
        none = ctypes.c_ulong(0)
        check(_libc.mount(device.encode(), place, b"minix", none, None))
        stack.callback(lambda: check(_libc.umount2(place, 0)))
        yield folder
