"""Why the kernel refused: one errno and the facts become one typed error with a remedy.

The rules stand in the order of ``kernel_migrate_pages()`` in mm/mempolicy.c, so the first that fits
is the one that the kernel met. The facts are read after the call, and may have changed since.
"""

from __future__ import annotations

import errno

from pymigrate import _files, causes
from pymigrate.causes import Cause
from pymigrate.errors import (
    KernelError,
    NodesRefused,
    NoSuchProcess,
    NotPermitted,
    OutOfMemory,
    Unsupported,
)
from pymigrate.nodemask import NodeMask
from pymigrate.task import Task

__all__ = ["diagnose"]


def diagnose(number: int, pid: int, old: NodeMask, new: NodeMask) -> KernelError:
    """The error for a refused migrate_pages(2).

    Args:
        number: The errno.
        pid: As it was passed; 0 is the caller.
        old: Nodes to move from.
        new: Nodes to move to.
    """
    try:
        cause = _find(number, pid, old, new)
    except KernelError as error:
        # It ended meanwhile, or /proc hides it, or /sys has nothing about nodes.
        kind = NotPermitted if number in (errno.EPERM, errno.EACCES) else KernelError
        cause = Cause(kind, "unknown", f"why is not to be seen: {error.cause}")
    return cause.to_error(number, pid, old, new)


def _find(number: int, pid: int, old: NodeMask, new: NodeMask) -> Cause:
    if number == errno.ESRCH:
        return Cause(NoSuchProcess, "gone", "there is no process or thread with that id")
    if number == errno.ENOMEM:
        text = "the nodes to move to are full; what moved before that stays there"
        return Cause(OutOfMemory, "no-memory", text, "free memory on them, or add nodes")
    if number == errno.EACCES:
        return _security_module()
    caller = Task.read(0)
    if number == errno.ENOSYS:
        return _missing(caller)
    if number == errno.EPERM:
        return _not_permitted(caller, Task.read(pid), new)
    if number == errno.EINVAL:
        return _invalid(caller, Task.read(pid), old, new)
    return Cause(KernelError, "unknown", "the kernel refused for a reason unknown to pymigrate")


def _not_permitted(caller: Task, target: Task, new: NodeMask) -> Cause:
    untraceable = causes.not_traceable(caller, target)
    if untraceable:
        return untraceable
    outside = causes.outside_cpuset_of_target(new, target)
    if outside and not caller.may_move_anything():
        return outside
    if caller.filtered:
        return Cause(
            NotPermitted,
            "sandbox",
            "a seccomp filter on the caller most likely forbids the call",
            "allow migrate_pages in the seccomp profile of the container or service",
        )
    return Cause(
        NotPermitted,
        "unknown",
        "the ids and cpusets allow it, so a user namespace, a process that is not dumpable, or a "
        "security module stands in the way; which one cannot be told from here",
        "try with CAP_SYS_PTRACE in the user namespace of the target",
    )


def _invalid(caller: Task, target: Task, old: NodeMask, new: NodeMask) -> Cause:
    nodes = old | new
    if nodes and nodes.highest >= caller.max_nodes:
        text = f"node {nodes.highest}: this kernel is built for nodes 0-{caller.max_nodes - 1}"
        return Cause(NodesRefused, "too-large", text, f"online are {NodeMask.online()}")
    if not new:
        return Cause(NodesRefused, "no-nodes", "new is empty", "name a node to move to")
    if not new & NodeMask.has_memory():
        return causes.memoryless(new) or _unknown()
    return (
        causes.outside_cpuset_of_caller(new, caller) or causes.no_user_memory(target) or _unknown()
    )


def _unknown() -> Cause:
    return Cause(NodesRefused, "unknown", "the kernel calls the nodes or the process invalid")


def _security_module() -> Cause:
    try:
        modules = _files.read_text("/sys/kernel/security/lsm")
    except OSError:
        modules = "of an unknown name"
    text = f"a security module ({modules}) forbids to move the memory of this process"
    return Cause(NotPermitted, "security-module", text, "its log has the rule that was met")


def _missing(caller: Task) -> Cause:
    try:
        NodeMask.possible()
    except Unsupported:
        text = "this kernel has no migrate_pages: it was built without NUMA or page migration"
        return Cause(Unsupported, "kernel", text)
    if caller.filtered:
        text = "the kernel has NUMA, so a seccomp filter most likely answers for it"
        return Cause(Unsupported, "sandbox", text, "allow migrate_pages in its seccomp profile")
    text = "this kernel or architecture has no migrate_pages system call"
    return Cause(Unsupported, "kernel", text)
