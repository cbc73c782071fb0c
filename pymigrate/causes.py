"""The causes for which a process cannot be moved, in words: what stands in the way, what helps."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pymigrate._native import ffi, lib
from pymigrate.errors import KernelError, NodesRefused, NotPermitted, NoUserMemory
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.task import Task

__all__ = [
    "Cause",
    "memoryless",
    "move_no_pages",
    "name_one_of",
    "no_user_memory",
    "nodes_are",
    "not_traceable",
    "outside_cpuset_of_caller",
    "outside_cpuset_of_target",
    "too_large",
    "unexplained",
]


@dataclass(frozen=True)
class Cause:
    """Why something is refused.

    Attributes:
        kind: The error that it becomes.
        reason: One word for programs.
        text: What stands in the way.
        remedy: What would help; empty if nothing does.
    """

    kind: type[KernelError]
    reason: str
    text: str
    remedy: str = ""

    def to_error(
        self, number: int, pid: int, old: NodeMask | None = None, new: NodeMask | None = None
    ) -> KernelError:
        """The typed error; without nodes where none are at stake."""
        return self.kind(
            number, self.text, pid=pid, old=old, new=new, reason=self.reason, remedy=self.remedy
        )


def no_user_memory(target: Task) -> Cause | None:
    """It has no memory of its own."""
    if target.zombie:
        return Cause(NoUserMemory, "zombie", "it is a zombie: its memory is gone already")
    if target.kernel_thread:
        return Cause(NoUserMemory, "kernel-thread", "it is a kernel thread: it has no memory")
    return None


def move_no_pages(pid: int) -> int:
    """What the kernel answers to a move_pages(2) that moves nothing: 0, or -errno.

    It looks whether the caller may trace the process, and at nothing else that EPERM stands for
    (find_mm_struct() in mm/migrate.c); pid 0 is the caller, who may.
    """
    return lib.pm_move_pages(pid, 0, ffi.NULL, ffi.NULL, ffi.NULL, 0)


def not_traceable(caller: Task, target: Task) -> Cause | None:
    """The check of ptrace(2) that the calls make first: the kernel says whether, /proc why."""
    answer = move_no_pages(target.pid)
    if answer and move_no_pages(0):  # there is no such call, or a filter answers for it
        refused = not caller.may_trace(target)
    else:
        refused = answer == -errno.EPERM
    return _untraceable(caller, target) if refused else None


def _untraceable(caller: Task, target: Task) -> Cause:
    if caller.may_trace(target):
        return unexplained()
    remedy = "run as that user, or with CAP_SYS_PTRACE"
    if caller.namespace != target.namespace:
        text = "it is in another user namespace"
        remedy = "run with CAP_SYS_PTRACE in that namespace, or outside of both"
    elif set(target.uids) != {caller.uids[0]}:
        text = f"it runs as {_ids('uid', target.uids)}, the caller as uid {caller.uids[0]}"
    elif set(target.gids) != {caller.gids[0]}:
        text = f"it runs with {_ids('gid', target.gids)}, the caller with gid {caller.gids[0]}"
    elif target.permitted & ~caller.permitted:
        text = "it has capabilities that the caller lacks"
    else:
        text = "it is not dumpable: it changed its credentials, or asked not to be looked at"
        remedy = "run with CAP_SYS_PTRACE"
    return Cause(NotPermitted, "ptrace", text, remedy)


def unexplained() -> Cause:
    """EPERM of the kernel, where /proc shows nothing that stands in the way."""
    return Cause(
        NotPermitted,
        "unknown",
        "the ids and cpusets allow it, so a user namespace, a process that is not dumpable, or a "
        "security module stands in the way; which one cannot be told from here",
        "try with CAP_SYS_PTRACE in the user namespace of the target",
    )


def outside_cpuset_of_target(nodes: NodeMask, target: Task) -> Cause | None:
    """Nodes on which the process may not have memory."""
    outside = nodes - target.allowed
    if not outside:
        return None
    absent = outside - NodeMask.online()
    if absent:
        text = f"{nodes_are(absent)} not there"
        return Cause(NotPermitted, "cpuset", text, name_one_of(target.allowed))
    return Cause(
        NotPermitted,
        "cpuset",
        f"{nodes_are(outside)} outside its cpuset",
        f"{name_one_of(target.allowed)}, or widen cpuset.mems of its cgroup",
    )


def outside_cpuset_of_caller(nodes: NodeMask, caller: Task) -> Cause | None:
    """None of the nodes is one on which the caller may have memory."""
    if nodes & caller.allowed:
        return None
    text = f"{nodes_are(nodes)} outside the cpuset of the caller"
    return Cause(NodesRefused, "cpuset", text, name_one_of(caller.allowed))


def too_large(nodes: NodeMask, caller: Task) -> Cause | None:
    """Nodes that this kernel could not have."""
    if not nodes or nodes.highest < caller.max_nodes:
        return None
    text = f"node {nodes.highest}: this kernel is built for nodes 0-{caller.max_nodes - 1}"
    return Cause(NodesRefused, "too-large", text, name_one_of(NodeMask.online()))


def memoryless(nodes: NodeMask) -> Cause | None:
    """Nodes that have no memory, or are not there."""
    without = nodes - NodeMask.has_memory()
    if not without:
        return None
    text = f"{nodes_are(without)} not there or without memory"
    return Cause(NodesRefused, "no-memory-node", text, name_one_of(NodeMask.has_memory()))


def name_one_of(nodes: NodeMask) -> str:
    """The remedy for nodes that cannot be used."""
    return f"name one of {nodes}" if len(nodes) > 1 else f"name node {nodes or 'none'}"


def nodes_are(nodes: NodeMask) -> str:
    """``node 3 is`` or ``nodes 3-5 are``."""
    return f"node {nodes} is" if len(nodes) == 1 else f"nodes {nodes} are"


def _ids(name: str, ids: tuple[int, ...]) -> str:
    if len(set(ids)) == 1:
        return f"{name} {ids[0]}"
    return f"{name}s {'/'.join(map(str, ids))} (real/effective/saved)"
