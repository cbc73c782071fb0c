"""``Cpuset``: the nodes and CPUs that a cgroup asks for, has, and passes on to its tasks."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from pymigrate import _files
from pymigrate._checks import check_folder, check_pid
from pymigrate.errors import CpusetRefused, InvalidArgument, NoSuchProcess, quote
from pymigrate.kernel.cgroups import controller_folders, is_cgroup, processes_below
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Cpuset"]

_ENABLE = "enable it in the cgroup above: echo +cpuset > {}/cgroup.subtree_control"


@dataclass(frozen=True)
class Cpuset:
    """The cpuset of a cgroup at one moment (cpuset(7), Documentation/admin-guide/cgroup-v2.rst).

    Attributes:
        folder: The cgroup that has it.
        version: Of the hierarchy, 1 or 2.
        mems: Nodes that are asked for (``cpuset.mems``). None asked for in v2: those of the cgroup
            above.
        effective_mems: Nodes that are granted.
        cpus: CPUs that are asked for (``cpuset.cpus``), likewise.
        effective_cpus: CPUs that are granted.
        migrates: Whether the kernel itself is to move memory when ``mems`` change: in v2 it always
            is (but Linux 5.10 does not do it yet), in v1 only with ``cpuset.memory_migrate``.
        prefix: Of the names of its files: ``"cpuset."``, or nothing where v1 is mounted without.
    """

    folder: str
    version: int
    mems: NodeMask
    effective_mems: NodeMask
    cpus: frozenset[int]
    effective_cpus: frozenset[int]
    migrates: bool
    prefix: str = "cpuset."

    @classmethod
    def of(cls, pid: int) -> Cpuset:
        """The cpuset of a process: that of its cgroup, or of the nearest one above that has one.

        Args:
            pid: The process; 0 is the calling one.

        Raises:
            InvalidArgument: It is no pid.
            NoSuchProcess: There is no such process.
            NotPermitted: /proc hides it from this user.
            CpusetRefused: The caller sees no cpuset of it: it is outside of the caller's cgroup
                namespace, no hierarchy is mounted, or the controller is nowhere enabled (reason
                ``"no-controller"``).
        """
        check_pid(pid)
        _files.read_status(pid)  # raises if there is no such process
        _, folders = controller_folders(pid, "cpuset")
        for folder in folders:
            if _prefix(folder) is not None:
                return cls.read(folder)
        cause = f"no cpuset of pid {pid or os.getpid()} is seen from here"
        raise CpusetRefused(
            errno.ENOENT,
            cause,
            folder=folders[0] if folders else "/sys/fs/cgroup",
            pid=pid,
            reason="no-controller",
            remedy="look from outside of the container, or mount the hierarchy",
        )

    @classmethod
    def read(cls, folder: str) -> Cpuset:
        """The cpuset of a cgroup.

        Args:
            folder: Where it is in the file system, below /sys/fs/cgroup.

        Raises:
            InvalidArgument: There is no cgroup.
            CpusetRefused: It has no cpuset of its own (reason ``"no-controller"``), or it is gone.
        """
        check_folder(folder)
        folder = os.path.abspath(os.fspath(folder))
        if not is_cgroup(folder):
            raise InvalidArgument(
                f"{quote(folder)} is no cgroup: name its folder, such as /sys/fs/cgroup/job"
            )
        prefix = _prefix(folder)
        if prefix is None:
            raise CpusetRefused(
                errno.ENOENT,
                "it has no cpuset of its own: the controller is not enabled",
                folder=folder,
                reason="no-controller",
                remedy=_ENABLE.format(os.path.dirname(folder)),
            )
        try:
            return cls._read(folder, prefix)
        except OSError as error:
            number = error.errno or errno.ENOENT
            raise CpusetRefused(
                number, "its cpuset is not to be read", folder=folder, reason=_reading(number)
            ) from None

    @classmethod
    def _read(cls, folder: str, prefix: str) -> Cpuset:
        def numbers(*names: str) -> NodeMask:
            """Of the first file there is. CPU lists have the grammar and limit of node lists."""
            for name in names:
                text = _optional(f"{folder}/{prefix}{name}")
                if text is not None:
                    return NodeMask(text) if text else NodeMask()
            raise FileNotFoundError(errno.ENOENT, f"{folder} is gone")

        asked = [name for name in ("mems", "cpus") if os.path.exists(f"{folder}/{prefix}{name}")]
        migrate = _optional(f"{folder}/{prefix}memory_migrate")  # v1 has it
        first = migrate is not None
        # What is granted has another name in v2; v1 before Linux 3.17 has what it asks for.
        granted = ("effective_{0}", "{0}") if first else ("{0}.effective",)
        return cls(
            folder=folder,
            version=1 if first else 2,
            # The root of v2 asks for nothing: it has all.
            mems=numbers("mems") if "mems" in asked else NodeMask(),
            effective_mems=numbers(*(name.format("mems") for name in granted)),
            cpus=frozenset(numbers("cpus")) if "cpus" in asked else frozenset(),
            effective_cpus=frozenset(numbers(*(name.format("cpus") for name in granted))),
            migrates=migrate != "0",
            prefix=prefix,
        )

    def again(self) -> Cpuset:
        """The same cpuset as it is now.

        Raises:
            CpusetRefused: The cgroup was removed (reason ``"gone"``), or its cpuset was taken.
        """
        if not is_cgroup(self.folder):
            cause = "the cgroup was removed meanwhile"
            raise CpusetRefused(errno.ENOENT, cause, folder=self.folder, reason="gone")
        return Cpuset.read(self.folder)

    def above(self) -> Cpuset | None:
        """The cpuset of the cgroup above; None at the top of what the caller sees.

        Raises:
            CpusetRefused: It is gone.
        """
        parent = os.path.dirname(self.folder)
        return Cpuset.read(parent) if _prefix(parent) is not None else None

    def tasks(self) -> dict[int, NodeMask]:
        """The nodes that each process in it and below it has, by pid (``Mems_allowed``).

        A thread may have been put elsewhere; this is about the first of each process.

        Raises:
            KernelError: The processes are not to be found out.
        """
        found = {}
        for pid in processes_below(self.folder):
            try:
                found[pid] = NodeMask.allowed(pid)
            except NoSuchProcess:
                continue
        return found

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes; sets as lists in the kernel's grammar."""
        return {
            "folder": self.folder,
            "version": self.version,
            "mems": str(self.mems),
            "effective_mems": str(self.effective_mems),
            "cpus": str(NodeMask(self.cpus)),
            "effective_cpus": str(NodeMask(self.effective_cpus)),
            "migrates": self.migrates,
        }


def _prefix(folder: str) -> str | None:
    """How the files of its cpuset are called; None if it has none."""
    for prefix, name in (("cpuset.", "mems.effective"), ("cpuset.", "mems"), ("", "mems")):
        if os.path.exists(f"{folder}/{prefix}{name}"):
            return prefix
    return None


def _optional(path: str) -> str | None:
    try:
        return _files.read_text(path).strip()
    except FileNotFoundError:
        return None


def _reading(number: int) -> str:
    if number in (errno.ENOENT, errno.ENODEV):
        return "gone"
    return "permission" if number in (errno.EACCES, errno.EPERM) else "unknown"
