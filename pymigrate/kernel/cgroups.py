"""The cgroups of a process as folders, and the processes in a folder; v1 and v2 (cgroups(7))."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from pymigrate import _files
from pymigrate.errors import KernelError, NotPermitted
from pymigrate.kernel._mounts import unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Hierarchy",
    "controller_folders",
    "is_cgroup",
    "nameless_below",
    "processes_below",
    "unified_folders",
]


class Hierarchy(NamedTuple):
    """Where the caller sees a hierarchy of cgroups.

    Attributes:
        version: 1 or 2.
        mount: The folder.
        root: The cgroup that is mounted there: ``/``, but in a container often a group of the host.
        options: Of the hierarchy; for v1 its controllers are among them.
    """

    version: int
    mount: str
    root: str
    options: tuple[str, ...]

    def folder(self, path: str) -> str | None:
        """The folder of a cgroup, by its path in /proc/PID/cgroup; None if it is not seen here."""
        # From inside of a cgroup namespace what lies outside is "/..", both as path and as root.
        if path.split("/")[1:2] == [".."]:
            return None
        root = self.root.rstrip("/")
        if path != root and not path.startswith(f"{root}/"):
            return None
        return self.mount + path[len(root) :].rstrip("/")


def unified_folders(pid: int) -> list[str]:
    """The folders of the unified hierarchy that a process is in, the innermost first.

    The last is the mount, which in a container may be a group of the host. Empty where there is no
    unified hierarchy, or the process is outside of what the caller sees of it (cgroups(7)).
    """
    found = _located(pid, "")
    return found[1] if found else []


def controller_folders(pid: int, controller: str) -> tuple[int, list[str]]:
    """The version of the hierarchy that has a controller, and the folders of a process in it.

    The innermost is first, as for ``unified_folders()``. A controller that no v1 hierarchy has
    belongs to the unified one.
    """
    return _located(pid, controller) or _located(pid, "") or (2, [])


def is_cgroup(folder: str) -> bool:
    """Whether a folder is a cgroup, which need not be its hierarchy's root to have no parent."""
    return os.path.isfile(os.path.join(folder, "cgroup.procs"))


def processes_below(folder: str) -> Iterator[int]:
    """The processes in a cgroup and in those below it; none if it is gone.

    Raises:
        KernelError: It is a threaded cgroup.
        NotPermitted: The caller may not look.
    """
    return filter(None, _listed_below(folder))


def nameless_below(folder: str) -> int:
    """How many more there are, of a pid namespace outside of the caller's; raises so too."""
    return sum(pid == 0 for pid in _listed_below(folder))


def _listed_below(folder: str) -> Iterator[int]:
    folder = os.fspath(folder)  # a Path is not equal to what os.walk() calls it
    for path, _, _ in os.walk(folder, onerror=lambda error: _check_gone(error, error.filename)):
        # The processes of a threaded cgroup are those of its domain, which is above it.
        yield from _processes_in(path, threaded=path != folder)


def _processes_in(folder: str, *, threaded: bool) -> list[int]:
    path = os.path.join(folder, "cgroup.procs")
    try:
        with open(path, encoding="utf-8") as file:
            # 0 stands for a process of another pid namespace.
            return [int(line) for line in file]
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            if threaded:
                return []
            cause = f"{folder} is a threaded cgroup; name the domain above it"
            raise KernelError(error.errno, cause, pid=None) from None
        _check_gone(error, path)
        return []


def _check_gone(error: OSError, path: str) -> None:
    """Raises what keeps the caller from a look; but what was removed meanwhile has nobody in it."""
    if error.errno in (errno.ENOENT, errno.ENODEV):  # the second by a file that was open already
        return
    _files.check_no_shortage(error, 0)
    cause = f"{path}: {error.strerror}"
    raise NotPermitted(error.errno or errno.EACCES, cause, pid=None) from None


def _located(pid: int, controller: str) -> tuple[int, list[str]] | None:
    """By the line of a v1 controller in /proc/PID/cgroup, or that of v2, which names none."""
    path = _path(pid, controller)
    if path is None:
        return None
    for hierarchy in _hierarchies():
        wanted = hierarchy.version == 2 if not controller else controller in hierarchy.options
        folder = hierarchy.folder(path) if wanted else None
        if folder is not None:
            return hierarchy.version, _upwards(folder, hierarchy.mount)
    return (1 if controller else 2), []


def _path(pid: int, controller: str) -> str | None:
    try:
        lines = _files.read_lines(f"/proc/{pid or 'self'}/cgroup")
    except OSError as error:
        _files.check_no_shortage(error, pid)
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):  # "" for v2
            return path
    return None


def _upwards(folder: str, mount: str) -> list[str]:
    found = []
    while len(folder) >= len(mount):
        if os.path.isdir(folder):
            found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _hierarchies() -> list[Hierarchy]:
    """What is mounted (proc_pid_mountinfo(5)); of v1 each hierarchy by itself."""
    try:
        lines = _files.read_lines("/proc/self/mountinfo")
    except OSError as error:
        _files.check_no_shortage(error, 0)
        return []
    found = []
    for line in lines:
        place, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(" ", 2)
        if kind in ("cgroup", "cgroup2", "cpuset"):  # the last is v1 by its first name
            root, mount = (unescape(field) for field in place.split(" ")[3:5])
            version = 2 if kind == "cgroup2" else 1
            found.append(Hierarchy(version, mount, root, tuple(options.split(","))))
    return found
