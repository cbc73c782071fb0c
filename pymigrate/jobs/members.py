"""Who belongs to a job: rules that tell the processes of the moment."""

from __future__ import annotations

import errno
import os
from _collections_abc import Iterable

from pymigrate._checks import check_folder, check_pid
from pymigrate.causes import no_user_memory
from pymigrate.errors import (
    Error,
    InvalidArgument,
    InvalidType,
    KernelError,
    NoSuchProcess,
    NotPermitted,
    quote,
)
from pymigrate.jobs.member import Member, identify, still_there
from pymigrate.kernel.cgroups import is_cgroup, nameless_below, processes_below
from pymigrate.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import psutil

    Rule = Callable[[], Iterable[int]]

__all__ = ["by_cgroup", "by_group", "by_pids", "by_session", "by_tree", "nameless_in", "only"]


def by_pids(pids: Iterable[int]) -> tuple[Rule, dict[int, KernelError]]:
    """These processes, and by pid why some of them cannot be members.

    The id of a thread stands for its process.

    Raises:
        InvalidArgument: One of them is no pid.
        NoSuchProcess, NoUserMemory: None of them can be a member.
    """
    if not isinstance(pids, Iterable) or isinstance(pids, (str, bytes)):
        raise InvalidType(f"pids {quote(pids)}: give a list of ints")
    listed = list(pids)
    for pid in listed:
        check_pid(pid)
    missing: dict[int, KernelError] = {}
    members: dict[Member, None] = {}
    for pid in listed:
        try:
            task = Task.read(pid)
        except NoSuchProcess as error:
            missing[pid] = error
            continue
        cause = no_user_memory(task)
        if cause:
            missing[task.pid] = cause.to_error(errno.EINVAL, pid)
            continue
        member = identify(task.group)
        if member:
            members[member] = None
        else:
            missing[pid] = _gone(pid)
    if listed and not members:
        raise missing[listed[0]]
    # Each time, as a pid can come to mean another process.
    return lambda: still_there(members), missing


def by_tree(pid: int) -> Rule:
    """A process and its descendants. Who was one of them once stays one.

    A child whose parent ended before it was seen is nobody's descendant any more: where that may
    be, use the session or the cgroup.

    Raises:
        NoSuchProcess: There is no such process.
    """
    library = _psutil()
    check_pid(pid)
    try:
        family = {library.Process(pid or os.getpid())}
    except library.Error:
        raise _gone(pid) from None

    def rule() -> Iterator[int]:
        # All processes are looked at once: to ask each member for its children would look at all
        # for each of them.
        alive = list(library.process_iter(["ppid"]))
        children: dict[int, list[psutil.Process]] = {}
        for process in alive:
            children.setdefault(process.info["ppid"], []).append(process)
        family.intersection_update(alive)
        parents = list(family)
        while parents:
            born = [p for p in children.get(parents.pop().pid, ()) if p not in family]
            family.update(born)
            parents += born
        return (member.pid for member in list(family))

    return rule


def by_session(pid: int) -> Rule:
    """The session of a process (setsid(2)).

    Raises:
        NoSuchProcess: There is no such process.
    """
    return _alike(os.getsid, pid)


def by_group(pid: int) -> Rule:
    """The process group of a process (setpgid(2)).

    Raises:
        NoSuchProcess: There is no such process.
    """
    return _alike(os.getpgid, pid)


def by_cgroup(folder: str) -> Rule:
    """The processes in a cgroup and in those below it, v1 or v2.

    Args:
        folder: Where it is in the file system, below /sys/fs/cgroup.

    Raises:
        InvalidArgument: There is no cgroup.
    """
    check_folder(folder)
    if not is_cgroup(folder):
        raise InvalidArgument(
            f"{folder!r} is no cgroup: name its folder, such as /sys/fs/cgroup/system.slice"
        )
    return lambda: processes_below(folder)


def nameless_in(folder: str) -> dict[int, KernelError]:
    """Why some processes of a cgroup cannot be members, for which 0 stands; now."""
    try:
        count = nameless_below(folder)
    except KernelError:
        return {}  # which is raised when the members are asked for
    if not count:
        return {}
    cause = f"{count} in {folder} of a pid namespace that is not within the caller's: no id here"
    remedy = "do it from outside of the container"
    error = NoSuchProcess(errno.ESRCH, cause, pid=None, reason="namespace", remedy=remedy)
    return {0: error}


def only(rule: Rule, choose: Callable[[psutil.Process], bool]) -> Rule:
    """Those of a rule that are chosen, by what psutil tells of them."""
    psutil = _psutil()
    if not callable(choose):
        raise InvalidType(f"choose {quote(choose)}: give a function that takes a psutil.Process")

    def chosen() -> Iterator[int]:
        for pid in rule():
            try:
                if choose(psutil.Process(pid)):
                    yield pid
            except psutil.Error:
                continue  # it has ended

    return chosen


def _alike(identify: Callable[[int], int], pid: int) -> Rule:
    psutil = _psutil()
    check_pid(pid)
    try:
        wanted = identify(pid)
    except ProcessLookupError:
        raise _gone(pid) from None
    except PermissionError:
        raise NotPermitted(errno.EPERM, "its session is not to be seen", pid=pid) from None

    def is_alike(other: int) -> bool:
        try:
            return identify(other) == wanted
        except OSError:
            return False

    return lambda: filter(is_alike, psutil.pids())


def _psutil() -> ModuleType:
    try:
        import psutil
    except ModuleNotFoundError:
        raise Error(
            "to find the processes of a job takes the package psutil: "
            "pip install 'pymigrate-numa[job]' (lists of pids, and cgroups, work without it)"
        ) from None
    return psutil


def _gone(pid: int) -> NoSuchProcess:
    return NoSuchProcess(errno.ESRCH, "there is no such process", pid=pid, reason="gone")
