"""Every error that pymigrate raises, and the builtin errors that they are.

``Error`` is the base of all. Below it are two families: ``InvalidArgument``, raised before any
system call was made, and ``KernelError``, which is what the kernel answered, with its errno kept
and the cause looked up. Each is also the builtin that a caller would catch anyway.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import NodeMask  # for the checker alone: errors know no other module

__all__ = [
    "Error",
    "InvalidArgument",
    "InvalidType",
    "InvalidNodes",
    "UnknownNode",
    "LauncherError",
    "EngineMissing",
    "NoSuchJob",
    "JobRefused",
    "HelperMissing",
    "WorldOfOne",
    "KernelError",
    "NoSuchProcess",
    "NotPermitted",
    "NodesRefused",
    "NoUserMemory",
    "OutOfMemory",
    "NoSwap",
    "Unsupported",
    "GONE_REMEDY",
    "no_such_process",
    "quote",
]

_QUOTED_LENGTH = 60

GONE_REMEDY = "look its id up again, as ps and pgrep show it in this pid namespace"
"""What helps where no process has an id, wherever that is found out."""


def quote(value: object) -> str:
    """``repr`` of a value for a message, cut where somebody passed megabytes."""
    if isinstance(value, (str, bytes, bytearray)):
        value = value[: _QUOTED_LENGTH + 1]
    elif isinstance(value, int) and value.bit_length() > _QUOTED_LENGTH * 3:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value)
    except Exception:  # a number too long for repr in a list, or a __repr__ that fails
        text = object.__repr__(value)
    return text if len(text) <= _QUOTED_LENGTH else text[:_QUOTED_LENGTH] + "..."


class Error(Exception):
    """Base of every error that pymigrate raises by itself."""

    def to_dict(self) -> dict[str, object]:
        """The error for programs: JSON types only; None for what only a ``KernelError`` has."""
        return {
            "type": type(self).__name__,
            "message": str(self),
            **{name: getattr(self, name, None) for name in ("pid", "reason", "errno")},
        }


class InvalidArgument(Error, ValueError):
    """A value that no call could make sense of. Nothing was done."""


class InvalidType(InvalidArgument, TypeError):
    """A value of a type that cannot mean what it is passed for, such as True for a node."""


class InvalidNodes(InvalidArgument):
    """Node numbers or text that are not a set of nodes.

    Attributes:
        value: What was given.
        position: Offset in characters where the text is wrong; None if that is not in a text.
    """

    def __init__(self, message: str, value: object, position: int | None = None) -> None:
        super().__init__(message)
        self.value = value
        self.position = position

    def __reduce__(self) -> tuple[type[InvalidNodes], tuple[str, object, int | None]]:
        return type(self), (str(self), self.value, self.position)


class UnknownNode(InvalidArgument, LookupError):
    """A device of which the kernel does not tell the node: there is none, or its node is -1."""


class LauncherError(Error):
    """What an engine that runs jobs on several hosts refused, or a job that it does not have.

    Attributes:
        reason: One word for the cause, for programs; the subclass lists them.
        remedy: What would help, for people.
    """

    def __init__(self, cause: str, *, reason: str = "engine", remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_launcher, (type(self), self.cause, self.reason, self.remedy)


def _rebuild_launcher(kind: type[LauncherError], cause: str, reason: str, remedy: str) -> object:
    return kind(cause, reason=reason, remedy=remedy)


class EngineMissing(LauncherError, FileNotFoundError):
    """The engine, or what reaches hosts, is not installed here.

    Reasons: ``"no-engine"``.
    """


class NoSuchJob(LauncherError, LookupError):
    """The engine has no running job of that id.

    Reasons: ``"unknown"``, ``"ended"``, ``"pending"``, ``"several"`` (the id stands for more than
    one job).
    """

    def __init__(self, cause: str, *, reason: str = "unknown", remedy: str = "") -> None:
        if reason == "ended":
            remedy = remedy or "its memory goes with it: name a job that runs"
        super().__init__(cause, reason=reason, remedy=remedy)


class JobRefused(LauncherError, PermissionError):
    """The caller may not join the job, as it belongs to somebody else; or nobody can at the moment.

    Reasons: ``"not-yours"``, ``"suspended"``.
    """


class HelperMissing(LauncherError, FileNotFoundError):
    """The hosts of a job have no pymigrate where it was looked for.

    Reasons: ``"no-helper"``.
    """


class WorldOfOne(LauncherError, RuntimeError):
    """MPI knows of one process alone, where a launcher has started several: they do not speak.

    Reasons: ``"world-of-one"``.
    """


class KernelError(Error, OSError):
    """What the kernel refused, and why.

    Attributes:
        errno: As the kernel gave it.
        pid: The process that was named; 0 is the caller; None where it is about no single one.
        old: Nodes to move from.
        new: Nodes to move to.
        reason: One word for the cause, for programs; the subclass lists them. ``"unknown"`` where
            the cause could not be found out.
        remedy: What would help, for people.
    """

    def __init__(
        self,
        errno: int,
        cause: str,
        *,
        pid: int | None,
        old: NodeMask | None = None,
        new: NodeMask | None = None,
        reason: str = "unknown",
        remedy: str = "",
    ) -> None:
        super().__init__(errno, os.strerror(errno))
        self.cause = cause
        self.pid = pid
        self.old = old
        self.new = new
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        who = "the job" if self.pid is None else f"pid {self.pid}"
        who = who if self.pid != 0 else "the calling process"
        nodes = "" if self.new is None else f", nodes {self.old or 'none'} -> {self.new or 'none'}"
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{who}{nodes}: {self.cause}{remedy} [{self.strerror}, errno {self.errno}]"

    def __reduce__(self) -> tuple[object, ...]:
        # OSError would call the class with its own two arguments.
        return _rebuild, (type(self), self.errno, self.cause, self.__dict__)


def _rebuild(kind: type[KernelError], errno: int, cause: str, state: dict[str, object]) -> object:
    error = kind(errno, cause, pid=0)
    error.__dict__.update(state)
    return error


class NoSuchProcess(KernelError, ProcessLookupError):
    """ESRCH: no process or thread has that id, or its memory is not what it was.

    Reasons: ``"gone"``, ``"replaced"`` (by an exec, while its memory was being looked at),
    ``"namespace"`` (processes of a cgroup that have no pid in the caller's namespace).
    """


def no_such_process(
    pid: int, old: NodeMask | None = None, new: NodeMask | None = None
) -> NoSuchProcess:
    """The error for an id that nobody has, wherever that is found out."""
    cause = "there is no process or thread with that id (any more)"
    return NoSuchProcess(
        errno.ESRCH, cause, pid=pid, old=old, new=new, reason="gone", remedy=GONE_REMEDY
    )


class NotPermitted(KernelError, PermissionError):
    """EPERM or EACCES: the caller may not do this to that process.

    Reasons: ``"ptrace"`` (the caller could not trace the process: other user, changed credentials,
    not dumpable), ``"cpuset"`` (nodes outside the target's cpuset need CAP_SYS_NICE), ``"sandbox"``
    (a seccomp filter answered), ``"shared"`` (shared pages need CAP_SYS_NICE), ``"privilege"`` (to
    evict memory of other processes does), ``"security-module"`` (EACCES), ``"unknown"``.
    """


class NodesRefused(KernelError, ValueError):
    """EINVAL, or ENODEV from the checks before, because of the nodes.

    Reasons: ``"too-large"`` (the kernel is built for fewer nodes), ``"cpuset"`` (nothing
    of new is in the caller's own cpuset), ``"no-memory-node"`` (nothing of new has memory),
    ``"unknown-node"`` (a GPU of the process is on no known node), ``"unknown"``.
    """


class NoUserMemory(KernelError):
    """EINVAL because the process has no memory of its own.

    Reasons: ``"kernel-thread"``, ``"zombie"``.
    """


class OutOfMemory(KernelError):
    """ENOMEM: the target nodes are full. What moved before that stays moved.

    Reason: ``"no-memory"``.
    """


class NoSwap(KernelError):
    """ENOSPC: there is no swap, or too little for what has to go there. Nothing was evicted.

    Reason: ``"no-swap"``.
    """


class CpusetRefused(KernelError):
    """A cpuset that cannot be read or changed. What has been changed already is put back.

    Reasons: ``"no-controller"`` (the cgroup has no cpuset of its own), ``"not-granted"`` (the
    cgroup above has not got these nodes or CPUs), ``"below"`` (a cgroup below has others, v1),
    ``"permission"``, ``"read-only"``, ``"gone"`` (the cgroup was removed), ``"members"`` (its
    processes could not be dealt with), ``"unknown"``.

    Attributes:
        folder: The cgroup.
        restored: Whether the cpuset is what it was before; also if nothing was changed. False
            where the old setting could not be put back, and where there is no cgroup any more.
    """

    def __init__(
        self,
        errno: int,
        cause: str,
        *,
        folder: str = "",
        pid: int | None = None,
        old: NodeMask | None = None,
        new: NodeMask | None = None,
        reason: str = "unknown",
        remedy: str = "",
    ) -> None:
        super().__init__(errno, cause, pid=pid, old=old, new=new, reason=reason, remedy=remedy)
        self.folder = folder
        self.restored = True

    def to_dict(self) -> dict[str, object]:
        """The error for programs, with ``folder`` and ``restored``."""
        return {**super().to_dict(), "folder": self.folder, "restored": self.restored}

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        state = "" if self.restored else "; the old setting is not back"
        return f"{self.folder}: {self.cause}{remedy}{state} [{self.strerror}, errno {self.errno}]"


class Unsupported(KernelError):
    """ENOSYS: this kernel or architecture has no such call. ENOENT: it cannot be asked.

    Reasons: ``"kernel"``, ``"sandbox"`` (a seccomp filter answered), ``"not-mounted"`` (there is no
    /proc or no /sys here), ``"unknown"``.
    """
