"""Whether process_madvise(2) is to be had for a process, and why not."""

from __future__ import annotations

import errno

from pymigrate import causes
from pymigrate._native import ffi, lib
from pymigrate.causes import Cause
from pymigrate.errors import KernelError, NotPermitted, Unsupported
from pymigrate.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_obstacles", "refuse", "refused"]

_NUMBERS = {
    "user-memory": errno.EINVAL,
    "identity": errno.EPERM,
    "advice": errno.ENOSYS,
    "privilege": errno.EPERM,
}


def find_obstacles(caller: Task, target: Task) -> Iterator[tuple[str, Cause | None]]:
    """Each rule by its name, with the cause if it is not met, in the order of the kernel."""
    own = caller.group == target.group
    yield "user-memory", causes.no_user_memory(target)
    yield "advice", None if own else _missing(caller)
    yield "identity", causes.not_traceable(caller, target)
    yield "privilege", None if own else _unprivileged(caller)


def refuse(caller: Task, target: Task) -> None:
    """Raises what the kernel would answer to each and every page.

    Raises:
        NoUserMemory: It is a kernel thread or a zombie.
        NotPermitted: The caller may not touch the process, or a sandbox forbids the call.
        Unsupported: The kernel has no such call.
    """
    for name, cause in find_obstacles(caller, target):
        if cause:
            raise _error(cause, _NUMBERS[name], target.pid)


def refused(number: int, pid: int) -> KernelError:
    """The error for what the kernel answered to the call itself."""
    try:
        refuse(Task.read(0), Task.read(pid))
    except KernelError as error:
        return error
    text = "the kernel refuses to evict the memory of this process; why cannot be told from here"
    return _error(Cause(NotPermitted, "unknown", text), number, pid)


def _error(cause: Cause, number: int, pid: int) -> KernelError:
    return cause.to_error(number, pid)


def _missing(caller: Task) -> Cause | None:
    """The call is made for no process: where there is one, it asks for a better file descriptor."""
    answer = -lib.pm_process_madvise(-1, ffi.NULL, 0, lib.PM_MADV_PAGEOUT, 0)
    if answer == errno.EBADF:
        return None
    text = f"there is no process_madvise ({errno.errorcode.get(answer, answer)})"
    if caller.filtered:
        text += ": a seccomp filter most likely answers for it"
        kind = Unsupported if answer == errno.ENOSYS else NotPermitted
        return Cause(kind, "sandbox", text, "allow process_madvise in its seccomp profile")
    remedy = "use Linux 5.12 or later; a process can evict its own memory since 5.4"
    return Cause(Unsupported, "kernel", text, remedy)


def _unprivileged(caller: Task) -> Cause | None:
    if caller.may_move_anything():
        return None
    text = "to evict memory of another process takes CAP_SYS_NICE, outside user namespaces"
    return Cause(NotPermitted, "privilege", text, "run with CAP_SYS_NICE")
