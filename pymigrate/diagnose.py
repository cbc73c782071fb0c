"""Why the kernel refused: one errno and the facts become one typed error with a remedy.

The rules stand in the order of ``kernel_migrate_pages()`` in mm/mempolicy.c, so the first that fits
is the one that the kernel met. The facts are read after the call, and may have changed since.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pymigrate import _files
from pymigrate.errors import (
    KernelError,
    NodesRefused,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    Unsupported,
)
from pymigrate.nodemask import NodeMask
from pymigrate.task import CAP_SYS_NICE, Task

__all__ = ["diagnose"]


@dataclass(frozen=True)
class _Case:
    """A refused call and what is known of its two sides."""

    old: NodeMask
    new: NodeMask
    caller: Task
    target: Task


@dataclass(frozen=True)
class _Finding:
    """The cause of a refusal."""

    kind: type[KernelError]
    reason: str
    cause: str
    remedy: str = ""


def diagnose(number: int, pid: int, old: NodeMask, new: NodeMask) -> KernelError:
    """The error for a refused migrate_pages(2).

    Args:
        number: The errno.
        pid: As it was passed; 0 is the caller.
        old: Nodes to move from.
        new: Nodes to move to.
    """
    if number == errno.ESRCH:
        found = _Finding(NoSuchProcess, "gone", "there is no process or thread with that id")
    else:
        try:
            case = _Case(old, new, Task.read(0), Task.read(pid))
        except NoSuchProcess:
            found = _ended_meanwhile(number)
        else:
            found = _find(number, case)
    return found.kind(
        number,
        found.cause,
        pid=pid,
        old=old,
        new=new,
        reason=found.reason,
        remedy=found.remedy,
    )


def _find(number: int, case: _Case) -> _Finding:
    if number == errno.EPERM:
        return _not_permitted(case)
    if number == errno.EINVAL:
        return _invalid(case)
    if number == errno.EACCES:
        return _security_module()
    if number == errno.ENOSYS:
        return _missing(case)
    if number == errno.ENOMEM:
        return _Finding(
            OutOfMemory,
            "no-memory",
            "the nodes to move to have no free memory left; what moved before that stays there",
            "free memory on them, or add nodes",
        )
    return _Finding(KernelError, "unknown", "the kernel refused for a reason unknown to pymigrate")


def _ended_meanwhile(number: int) -> _Finding:
    kind = NotPermitted if number in (errno.EPERM, errno.EACCES) else KernelError
    return _Finding(kind, "unknown", "refused, and ended before the cause could be looked up")


def _not_permitted(case: _Case) -> _Finding:
    caller, target = case.caller, case.target
    if not caller.may_trace(target):
        return _not_traceable(caller, target)
    outside = case.new - target.allowed
    if outside and not caller.can(CAP_SYS_NICE):
        return _outside_cpuset(outside, target)
    if caller.filtered:
        return _Finding(
            NotPermitted,
            "sandbox",
            "a seccomp filter on the caller most likely forbids the call",
            "allow migrate_pages in the sandbox (container runtimes do so with CAP_SYS_NICE)",
        )
    return _Finding(
        NotPermitted,
        "unknown",
        "the ids and cpusets allow it, so a user namespace, a process that is not dumpable, or a "
        "security module stands in the way; which one cannot be told from here",
        "try with CAP_SYS_PTRACE in the user namespace of the target",
    )


def _not_traceable(caller: Task, target: Task) -> _Finding:
    remedy = "run as that user, or with CAP_SYS_PTRACE"
    if set(target.uids) != {caller.uids[0]}:
        cause = f"it runs as {_ids('uid', target.uids)}, the caller as uid {caller.uids[0]}"
    elif set(target.gids) != {caller.gids[0]}:
        cause = f"it runs with {_ids('gid', target.gids)}, the caller with gid {caller.gids[0]}"
    else:
        cause = "it is not dumpable: it changed its credentials, or asked not to be looked at"
        remedy = "run with CAP_SYS_PTRACE"
    return _Finding(NotPermitted, "ptrace", cause, remedy)


def _ids(name: str, ids: tuple[int, ...]) -> str:
    if len(set(ids)) == 1:
        return f"{name} {ids[0]}"
    return f"{name}s {'/'.join(map(str, ids))} (real/effective/saved)"


def _outside_cpuset(outside: NodeMask, target: Task) -> _Finding:
    absent = outside - NodeMask.online()
    if absent:
        cause = f"{_name(absent)} {_be(absent)} not there; online are {NodeMask.online()}"
        remedy = "leave out what is not there"
    else:
        cause = f"{_name(outside)} {_be(outside)} outside its cpuset, which allows {target.allowed}"
        remedy = "choose allowed nodes, widen cpuset.mems of its cgroup, or run with CAP_SYS_NICE"
    return _Finding(NotPermitted, "cpuset", cause, remedy)


def _invalid(case: _Case) -> _Finding:
    caller, target, new = case.caller, case.target, case.new
    highest = max([-1, *case.old, *new])
    if highest >= caller.max_nodes:
        return _Finding(
            NodesRefused,
            "too-large",
            f"node {highest}: this kernel is built for nodes 0-{caller.max_nodes - 1}",
            f"online are {NodeMask.online()}",
        )
    if not new:
        return _Finding(NodesRefused, "no-nodes", "new is empty", "name a node to move to")
    if not new & caller.allowed:
        return _nowhere_to_go(new, caller)
    if target.zombie:
        return _Finding(NoUserMemory, "zombie", "it is a zombie: its memory is gone already")
    if target.kernel_thread:
        return _Finding(NoUserMemory, "kernel-thread", "it is a kernel thread: it has no memory")
    return _Finding(NodesRefused, "unknown", "the kernel calls the nodes or the process invalid")


def _nowhere_to_go(new: NodeMask, caller: Task) -> _Finding:
    remedy = f"the cpuset of the caller allows {caller.allowed}"
    if not new & NodeMask.has_memory():
        return _Finding(
            NodesRefused,
            "no-memory-node",
            f"{_name(new)} {_be(new)} not there or without memory",
            remedy,
        )
    cause = f"{_name(new)} {_be(new)} outside the cpuset of the caller"
    return _Finding(NodesRefused, "cpuset", cause, remedy)


def _security_module() -> _Finding:
    try:
        modules = _files.read_text("/sys/kernel/security/lsm")
    except OSError:
        modules = "of an unknown name"
    return _Finding(
        NotPermitted,
        "security-module",
        f"a security module ({modules}) forbids to move the memory of this process",
        "its log has the rule that was met",
    )


def _missing(case: _Case) -> _Finding:
    try:
        NodeMask.possible()
    except Unsupported:
        cause = "this kernel has no migrate_pages: it was built without NUMA or page migration"
        return _Finding(Unsupported, "kernel", cause)
    if case.caller.filtered:
        return _Finding(
            Unsupported,
            "sandbox",
            "the kernel has NUMA, so a seccomp filter most likely answers for it",
            "allow migrate_pages in the sandbox",
        )
    return _Finding(
        Unsupported, "kernel", "this kernel or architecture has no migrate_pages system call"
    )


def _name(nodes: NodeMask) -> str:
    return f"node {nodes}" if len(nodes) == 1 else f"nodes {nodes}"


def _be(nodes: NodeMask) -> str:
    return "is" if len(nodes) == 1 else "are"
