"""Why the kernel refused: one errno and the facts become one typed error with a remedy.

The rules stand in the order of ``kernel_migrate_pages()`` in mm/mempolicy.c, so the first that fits
is the one that the kernel met. The facts are read after the call, and may have changed since.
"""

from __future__ import annotations

import errno

from pymigrate import _files, causes
from pymigrate._native import lib
from pymigrate.causes import Cause
from pymigrate.errors import (
    KernelError,
    NodesRefused,
    NotPermitted,
    OutOfMemory,
    Unsupported,
    no_such_process,
)
from pymigrate.nodemask import NodeMask
from pymigrate.task import Task

__all__ = ["diagnose", "harmless_calls"]

_KINDS = {errno.EPERM: NotPermitted, errno.EACCES: NotPermitted, errno.ENOSYS: Unsupported}


def diagnose(
    number: int, pid: int, old: NodeMask, new: NodeMask, call: str = "migrate_pages"
) -> KernelError:
    """The error for a refused migrate_pages(2) or move_pages(2).

    Args:
        number: The errno.
        pid: As it was passed; 0 is the caller.
        old: Nodes to move from.
        new: Nodes to move to.
        call: Which of the two it was.
    """
    if number == errno.ESRCH:
        return no_such_process(pid, old, new)
    try:
        cause = _find(number, pid, old, new, call)
    except KernelError as error:
        # It ended meanwhile, or /proc hides it, or /proc or /sys is not there, or no more files may
        # be opened.
        kind = _KINDS.get(number, KernelError)
        cause = Cause(kind, "unknown", f"why is not to be seen: {error.cause}", error.remedy)
    return cause.to_error(number, pid, old, new)


def _find(number: int, pid: int, old: NodeMask, new: NodeMask, call: str) -> Cause:
    if number == errno.ENOMEM:
        text = "the nodes to move to are full; what moved before that stays there"
        return Cause(OutOfMemory, "no-memory", text, "free memory on them, or add nodes")
    caller = Task.read(0)
    if number == errno.EACCES:
        return _filter(call) if _filter_answers(number, caller, call) else _security_module()
    if number == errno.ENOSYS:
        return _missing(caller, call)
    if number == errno.EPERM:
        return _not_permitted(caller, Task.read(pid), new, call)
    if number == errno.EINVAL:
        return _invalid(caller, Task.read(pid), old, new)
    return Cause(KernelError, "unknown", "the kernel refused for a reason unknown to pymigrate")


def _not_permitted(caller: Task, target: Task, new: NodeMask, call: str) -> Cause:
    untraceable = causes.not_traceable(caller, target)
    if untraceable:
        return untraceable
    outside = causes.outside_cpuset_of_target(new, target)
    if outside and not caller.may_move_anything():
        return outside
    if caller.filtered:
        return _filter(call)
    return causes.unexplained()


def _invalid(caller: Task, target: Task, old: NodeMask, new: NodeMask) -> Cause:
    too_large = causes.too_large(old | new, caller)
    if too_large:
        return too_large
    if not new & NodeMask.has_memory():
        return causes.memoryless(new) or _unknown()
    return (
        causes.outside_cpuset_of_caller(new, caller) or causes.no_user_memory(target) or _unknown()
    )


def _unknown() -> Cause:
    return Cause(NodesRefused, "unknown", "the kernel calls the nodes or the process invalid")


def _filter(call: str) -> Cause:
    return Cause(
        NotPermitted,
        "sandbox",
        "a seccomp filter on the caller most likely forbids the call",
        f"allow {call} in the seccomp profile of the container or service",
    )


def _filter_answers(number: int, caller: Task, call: str) -> bool:
    """Whether the call is refused for the caller itself too, and even if it moves nothing.

    No security module forbids that, and a filter does not look at what the masks hold.
    """
    if not caller.filtered:
        return False
    return harmless_calls(caller)[call] == -number


def harmless_calls(caller: Task) -> dict[str, int]:
    """What the kernel answers to each of the two calls where it moves nothing: 0, or -errno."""
    allowed = caller.allowed.to_bitmap()
    return {
        "migrate_pages": lib.pm_migrate(0, b"", 0, allowed, len(allowed)),
        "move_pages": causes.move_no_pages(0),
    }


def _security_module() -> Cause:
    try:
        modules = _files.read_text("/sys/kernel/security/lsm")
    except OSError:
        modules = "of an unknown name"
    text = f"a security module ({modules}) forbids to move the memory of this process"
    return Cause(NotPermitted, "security-module", text, "its log has the rule that was met")


def _missing(caller: Task, call: str) -> Cause:
    try:
        NodeMask.possible()
    except Unsupported as error:
        if error.reason == "not-mounted":
            raise  # with NUMA or without cannot be told
        text = f"this kernel has no {call}: it was built without NUMA or page migration"
        return Cause(Unsupported, "kernel", text)
    if caller.filtered:
        text = "the kernel has NUMA, so a seccomp filter most likely answers for it"
        return Cause(Unsupported, "sandbox", text, f"allow {call} in its seccomp profile")
    text = f"this kernel or architecture has no {call} system call"
    return Cause(Unsupported, "kernel", text)
