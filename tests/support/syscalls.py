"""Numbers of the system calls that tests make past the library, so as not to test it by itself."""

from __future__ import annotations

import ctypes
import platform
from typing import NamedTuple

import pytest

from support.credentials import check

_libc = ctypes.CDLL(None, use_errno=True)


PROCESS_MADVISE = 440
"""The same on every machine but alpha (include/uapi/asm-generic/unistd.h)."""


class Numbers(NamedTuple):
    """Of one machine."""

    mbind: int
    set_mempolicy: int
    get_mempolicy: int
    migrate_pages: int
    move_pages: int
    seccomp: int


_I386 = Numbers(274, 276, 275, 294, 317, 354)
_ARM = Numbers(319, 321, 320, 400, 344, 383)
_GENERIC = Numbers(235, 237, 236, 238, 239, 277)

# By machine and size of a long: a 32-bit process has a table of its own.
_NUMBERS = {
    ("x86_64", 8): Numbers(237, 238, 239, 256, 279, 317),
    ("x86_64", 4): _I386,
    ("i686", 4): _I386,
    ("aarch64", 8): _GENERIC,
    ("aarch64", 4): _ARM,  # a 32-bit process on a 64-bit kernel
    ("armv7l", 4): _ARM,
    ("loongarch64", 8): _GENERIC,
    ("riscv64", 8): _GENERIC,
    ("ppc64le", 8): Numbers(259, 261, 260, 258, 301, 358),
    ("s390x", 8): Numbers(268, 270, 269, 287, 310, 348),
}


def numbers() -> Numbers:
    """Those of the machine that the tests run on."""
    abi = platform.machine(), ctypes.sizeof(ctypes.c_long)
    if abi not in _NUMBERS:
        pytest.skip(f"tests/support/syscalls.py has no system call numbers for {abi}")
    return _NUMBERS[abi]


def call(number: int, *arguments: object) -> int:
    """Makes a system call: its result, or its errno as an OSError. Integers are passed as longs."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return check(_libc.syscall(ctypes.c_long(number), *words))
