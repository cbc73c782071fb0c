"""A view of the file system without what the kernel usually shows. For children of root."""

from __future__ import annotations

import ctypes

from support.credentials import check

_libc = ctypes.CDLL(None, use_errno=True)

_CLONE_NEWNS = 0x00020000  # include/uapi/linux/sched.h
_MS_REC_PRIVATE = 1 << 14 | 1 << 18  # include/uapi/linux/mount.h


def hide_processes(hidepid: int) -> None:
    """Mounts /proc so that it hides the processes of others (proc(5), hidepid)."""
    _own_mounts()
    _mount("proc", "/proc", f"hidepid={hidepid}")


def hide_nodes() -> None:
    """Covers what /sys tells of the nodes, as in a container without /sys."""
    _own_mounts()
    _mount("tmpfs", "/sys/devices/system/node", "")


def mount_tmpfs(place: str) -> None:
    """Mounts an empty tmpfs at a folder that is there."""
    _own_mounts()
    _mount("tmpfs", place, "")


def _own_mounts() -> None:
    check(_libc.unshare(_CLONE_NEWNS))
    check(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC_PRIVATE), None))


def _mount(kind: str, place: str, options: str) -> None:
    name = kind.encode()
    check(_libc.mount(name, place.encode(), name, ctypes.c_ulong(0), options.encode()))
