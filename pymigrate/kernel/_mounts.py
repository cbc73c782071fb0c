"""Ground: where a process sees a tmpfs, for the C that tells shared memory from files."""

from __future__ import annotations

import os

from pymigrate import _files

__all__ = ["tmpfs_table", "unescape"]

# What numa_maps escapes in a path (show_numa_map() in fs/proc/task_mmu.c).
_ESCAPES = {ord(c): f"\\{ord(c):03o}" for c in "\n\t= "}


def tmpfs_table(pid: int) -> bytes:
    """The mounts of a process that decide whether a path is on a tmpfs, as mapping.h takes them.

    Empty where they cannot be read: every file then counts as one.
    """
    process = f"/proc/{pid or 'self'}"
    try:
        # Paths in numa_maps are the reader's; those in mountinfo start at the root of the process.
        root = os.readlink(f"{process}/root").rstrip("/")
        mounts = _files.read_text(f"{process}/mountinfo")
    except OSError as error:
        _files.check_no_shortage(error, pid)
        return b""
    return compile_table(mounts, root)


def compile_table(mountinfo: str, root: str) -> bytes:
    """The same from the text of a mountinfo file (proc_pid_mountinfo(5))."""
    is_tmpfs = {}
    for line in mountinfo.split("\n")[:-1]:
        mount, _, filesystem = line.partition(" - ")
        directory = root + unescape(mount.split(" ")[4]).rstrip("/") + "/"
        is_tmpfs[directory] = filesystem.startswith("tmpfs ")  # a later mount covers an earlier one
    shared = tuple(directory for directory, is_shared in is_tmpfs.items() if is_shared)
    relevant = sorted((d for d in is_tmpfs if d.startswith(shared)), key=len, reverse=True)
    table = "".join(f"{'-+'[is_tmpfs[d]]}{d.translate(_ESCAPES)}\0" for d in relevant)
    return table.encode("utf-8", "surrogateescape")


def unescape(text: str) -> str:
    """A field of mountinfo: space, tab, newline and backslash are octal numbers there."""
    first, *rest = text.split("\\")
    return first + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)
