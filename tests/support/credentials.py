"""What decides whether the kernel lets one process touch another. For children: no way back."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

NOBODY = 65534
"""A user and group id without any rights."""

# include/uapi/linux/capability.h
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
CAP_SYS_NICE = 23
_CAPABILITY_VERSION_3 = 0x20080522

_PR_SET_DUMPABLE = 4  # include/uapi/linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def become(uid: int) -> None:
    """Makes this process one of another user and group.

    The kernel takes the capabilities of a process that leaves uid 0, and makes it not dumpable.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def set_dumpable(dumpable: bool) -> None:
    """Whether others of the same user may look into this process."""
    check(_libc.prctl(_PR_SET_DUMPABLE, int(dumpable), 0, 0, 0))


def has_capabilities(*capabilities: int) -> bool:
    """Whether all of these are in the effective set of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (effective,) = (int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return all(effective >> capability & 1 for capability in capabilities)


def keep_capabilities(*capabilities: int) -> None:
    """Gives up every capability but these."""
    kept = sum(1 << capability for capability in capabilities)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)))


def check(result: int) -> int:
    """The result of a libc function, or its errno as an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
