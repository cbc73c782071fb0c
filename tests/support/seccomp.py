"""seccomp filters that answer a system call in place of the kernel's code (seccomp(2)).

Container runtimes do it, and it is the way to answers that one node cannot provoke. A filter stays
with the thread that installed it, so this too is for children.
"""

from __future__ import annotations

import ctypes
import fcntl
import signal
import struct

from support.credentials import check
from support.syscalls import call, numbers

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_NO_NEW_PRIVS = 38  # include/uapi/linux/prctl.h

# Classic BPF: include/uapi/linux/bpf_common.h
_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_RETURN = 0x06

# include/uapi/linux/seccomp.h
_SET_MODE_FILTER = 1
_FLAG_NEW_LISTENER = 1 << 3
_RET_ERRNO = 0x00050000
_RET_USER_NOTIF = 0x7FC00000
_RET_ALLOW = 0x7FFF0000
_NOTIFICATION_SIZE = 80
_IOCTL_RECEIVE = 0xC0502100
_IOCTL_SEND = 0xC0182101


def refuse(errno: int, number: int | None = None) -> None:
    """From now on a system call of this thread, by default migrate_pages, fails with an errno."""
    _install(_RET_ERRNO | errno, flags=0, number=number)


def intercept() -> int:
    """From now on migrate_pages of this thread blocks until it is answered.

    Returns:
        A file descriptor for ``answer``.
    """
    signal.alarm(60)  # nobody answered: ends the child, which cannot go on
    return _install(_RET_USER_NOTIF, flags=_FLAG_NEW_LISTENER)


def answer(listener: int, result: int) -> None:
    """Waits for one migrate_pages, and lets it return a result."""
    notification = bytearray(_NOTIFICATION_SIZE)
    fcntl.ioctl(listener, _IOCTL_RECEIVE, notification)
    (identity,) = struct.unpack_from("=Q", notification)
    fcntl.ioctl(listener, _IOCTL_SEND, struct.pack("=QqiI", identity, result, 0, 0))


def _install(verdict: int, flags: int, number: int | None = None) -> int:
    known = numbers()
    instructions = [
        (_LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
        (_JUMP_IF_EQUAL, 0, 1, known.migrate_pages if number is None else number),
        (_RETURN, 0, 0, verdict),
        (_RETURN, 0, 0, _RET_ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *i) for i in instructions))
    program = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    return call(known.seccomp, _SET_MODE_FILTER, flags, program)
