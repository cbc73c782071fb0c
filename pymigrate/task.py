"""What /proc tells of a process or thread: the facts by which the kernel permits and refuses."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pymigrate import _files
from pymigrate.nodemask import NodeMask

__all__ = ["CAP_SYS_NICE", "CAP_SYS_PTRACE", "Task"]

# include/uapi/linux/capability.h
CAP_SYS_PTRACE = 19
CAP_SYS_NICE = 23

_PF_KTHREAD = 0x00200000  # include/linux/sched.h
# What /proc/PID/uid_map says where nothing is mapped.
_INITIAL_NAMESPACE = "0 0 4294967295"

_SECCOMP_MODE_FILTER = 2  # include/uapi/linux/seccomp.h


@dataclass(frozen=True)
class Task:
    """A process or thread at one moment.

    Attributes:
        pid: Its id; for the caller its real one, not 0.
        group: The process that it belongs to.
        uids: Real, effective and saved user id.
        gids: Real, effective and saved group id.
        capabilities: The effective set, bit n for capability n. It holds in the namespace.
        permitted: The permitted set.
        namespace: The user namespace that it is in, as its map of user ids (user_namespaces(7)).
        allowed: Nodes on which it may have memory.
        max_nodes: Nodes that this kernel is built for (MAX_NUMNODES).
        filtered: A seccomp filter looks at its system calls.
        zombie: It has ended, and nobody has waited for it.
        kernel_thread: It belongs to the kernel.
        dumpable: False where the kernel shields it from its own user (prctl(2), PR_SET_DUMPABLE):
            it changed its credentials, or it asked for that. True for root's, where no file tells.
    """

    pid: int
    group: int
    uids: tuple[int, ...]
    gids: tuple[int, ...]
    capabilities: int
    permitted: int
    namespace: str
    allowed: NodeMask
    max_nodes: int
    filtered: bool
    zombie: bool
    kernel_thread: bool
    dumpable: bool

    @classmethod
    def read(cls, pid: int) -> Task:
        """Looks at a process or thread; pid 0 is the calling thread.

        Raises:
            NoSuchProcess: There is none with that id.
            NotPermitted: /proc hides it from this user.
            Unsupported: /proc is not mounted.
        """
        status = _files.read_status(pid)
        uids = _ids(status["Uid"])
        zombie = status["State"][0] in "ZX"
        mask = status["Mems_allowed"]
        return cls(
            pid=int(status["Pid"]),
            group=int(status["Tgid"]),
            uids=uids,
            gids=_ids(status["Gid"]),
            capabilities=int(status["CapEff"], 16),
            permitted=int(status["CapPrm"], 16),
            namespace=_namespace(pid),
            allowed=NodeMask.from_hex(mask),
            max_nodes=4 * len(mask.replace(",", "")),
            filtered=status.get("Seccomp") == str(_SECCOMP_MODE_FILTER),
            zombie=zombie,
            kernel_thread=bool(_flags(pid) & _PF_KTHREAD),
            dumpable=zombie or _owner(pid) in (uids[1], None),
        )

    def can(self, capability: int) -> bool:
        """Whether a capability is in the effective set."""
        return bool(self.capabilities >> capability & 1)

    def may_move_anything(self) -> bool:
        """CAP_SYS_NICE as the system calls check it: only in the initial user namespace.

        With it shared pages move, and nodes outside the cpuset of the target are no obstacle.
        """
        return self.can(CAP_SYS_NICE) and self.namespace == _INITIAL_NAMESPACE

    def may_trace(self, target: Task) -> bool:
        """The check of ptrace(2), PTRACE_MODE_READ_REALCREDS, as far as /proc tells.

        It passes for the own process, with CAP_SYS_PTRACE, and for a dumpable process whose three
        user and three group ids all equal the caller's real ones, and which has no capability that
        the caller lacks (cap_ptrace_access_check() in security/commoncap.c).
        """
        if self.group == target.group:
            return True
        if self.can(CAP_SYS_PTRACE) and self.namespace in (_INITIAL_NAMESPACE, target.namespace):
            return True
        return (
            set(target.uids) == {self.uids[0]}
            and set(target.gids) == {self.gids[0]}
            and target.dumpable
            and self.namespace == target.namespace
            and not target.permitted & ~self.permitted
        )


def _ids(field: str) -> tuple[int, ...]:
    real, effective, saved = field.split()[:3]
    return int(real), int(effective), int(saved)


def _namespace(pid: int) -> str:
    try:
        return " ".join(_files.read_text(f"/proc/{pid or 'self'}/uid_map").split())
    except FileNotFoundError:
        return _INITIAL_NAMESPACE  # a kernel without user namespaces
    except OSError:
        return ""


def _flags(pid: int) -> int:
    """PF_* of a task: field 9 of /proc/PID/stat, the seventh after the name in parentheses."""
    try:
        return int(_files.read_text(f"/proc/{pid or 'self'}/stat").rpartition(")")[2].split()[6])
    except OSError:
        return 0


def _owner(pid: int) -> int | None:
    """The user that files below /proc/PID belong to: the effective one, or root if not dumpable.

    The folder itself tells nothing: it belongs to the effective user in any case.
    """
    try:
        return os.stat(f"/proc/{pid or 'self'}/status").st_uid
    except OSError:
        return None
