"""The cgroup (v2) of a process, as folders; its limits hold for all that is below."""

from __future__ import annotations

import os

from pymigrate import _files

__all__ = ["unified_folders"]


def unified_folders(pid: int) -> list[str]:
    """The folders of the unified hierarchy that a process is in, the innermost first.

    The last is the mount, which in a container may be a group of the host. Empty where there is no
    unified hierarchy, or the process is outside of what the caller sees of it (cgroups(7)).
    """
    mount = _mount()
    try:
        lines = _files.read_text(f"/proc/{pid or 'self'}/cgroup").splitlines()
    except OSError:
        return []
    paths = [line[3:] for line in lines if line.startswith("0::")]
    if not mount or not paths or paths[0].startswith("/.."):
        return []
    folder = mount + paths[0].rstrip("/")
    found = []
    while len(folder) >= len(mount):
        if os.path.isdir(folder):
            found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _mount() -> str:
    """Where the caller has the unified hierarchy; empty if nowhere."""
    try:
        text = _files.read_text("/proc/self/mountinfo")
    except OSError:
        return ""
    for line in text.splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith("cgroup2 "):
            return mount.split(" ")[4].encode().decode("unicode_escape")
    return ""
