"""A change of a cpuset that is either made or taken back: what can be refused comes first."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager

from pymigrate.errors import CpusetRefused, InvalidArgument, InvalidNodes
from pymigrate.kernel.cpusets import Cpuset
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["changed"]

# What the kernel answers to a write (cpuset_write_resmask(), validate_change() in
# kernel/cgroup/cpuset.c): reason, cause, remedy.
_REFUSALS = {
    errno.EACCES: (
        "not-granted",
        "the cgroup above has not got all of these, or this is the root, which has what there is",
        "widen the cgroup above first",
    ),
    errno.EBUSY: (
        "below",
        "a cgroup below it has others of its own (v1, and v2 of older kernels)",
        "widen this one to both, relocate those below, then this one",
    ),
    errno.EROFS: (
        "read-only",
        "the hierarchy is mounted read-only",
        "do it from outside of the container",
    ),
    errno.ENOENT: ("gone", "the cgroup was removed meanwhile", ""),
    errno.ENODEV: ("gone", "the cgroup was removed meanwhile", ""),
}


@contextmanager
def changed(before: Cpuset, mems: NodeMask, cpus: NodeMask | None) -> Iterator[None]:
    """Changes a cpuset; if that fails, or the block does, the old setting is put back.

    CPUs come first: to take those back moves no memory. Each of the two is written at once, so the
    tasks have nodes and CPUs at any moment. The write of nodes returns when the kernel has moved
    what it moves.

    Raises:
        InvalidNodes: ``mems`` or ``cpus`` are empty.
        CpusetRefused: It cannot be changed so.
    """
    _check(before, mems, cpus)
    undo: list[tuple[str, NodeMask]] = []

    def change(name: str, old: NodeMask, new: NodeMask) -> None:
        undo.append((name, old))
        try:
            _write(before, name, new)
        except CpusetRefused:
            undo.pop()  # a write that is refused changes nothing
            raise

    try:
        if cpus is not None:
            change("cpus", NodeMask(before.cpus), cpus)
        change("mems", before.mems, mems)
        _check_granted(before, mems, cpus)
        yield
    except BaseException as error:
        restored = _put_back(before, undo)
        if isinstance(error, CpusetRefused):
            error.restored = restored
        raise


def _check(before: Cpuset, mems: NodeMask, cpus: NodeMask | None) -> None:
    """What can be known without a change."""
    for name, value in (("mems", mems), ("cpus", cpus)):
        if value is not None and not value:
            raise InvalidNodes(f"{name} is empty: tasks need at least one", value)
    if _is_root(before):
        raise InvalidArgument(
            f"{before.folder} is the root of its hierarchy, which has all nodes; name one below"
        )
    above = before.above()
    lacking = mems - (above.effective_mems if above else NodeMask.has_memory())
    if lacking:
        raise _not_granted(before.folder, "node", lacking)
    if cpus and above:
        lacking = cpus - NodeMask(above.effective_cpus)
        if lacking:
            raise _not_granted(before.folder, "CPU", lacking)


def _is_root(cpuset: Cpuset) -> bool:
    """v2 has no such file there; v1 has one that is nowhere else (kernel/cgroup/cgroup-v1.c)."""
    if cpuset.version == 1:
        return os.path.exists(f"{cpuset.folder}/release_agent")
    return not os.path.exists(f"{cpuset.folder}/{cpuset.prefix}mems")


def _check_granted(before: Cpuset, mems: NodeMask, cpus: NodeMask | None) -> None:
    """v2 takes every wish, and grants what it can: what came of it has to be looked at."""
    after, folder = before.again(), before.folder
    if after.effective_mems != mems:
        raise _not_granted(folder, "node", mems - after.effective_mems or mems)
    if cpus is not None and NodeMask(after.effective_cpus) != cpus:
        raise _not_granted(folder, "CPU", cpus - NodeMask(after.effective_cpus) or cpus)


def _not_granted(folder: str, what: str, lacking: NodeMask) -> CpusetRefused:
    plural = "s" * (len(lacking) > 1)
    return CpusetRefused(
        errno.EACCES,
        f"{what}{plural} {lacking}: not there, or not granted by the cgroup above",
        folder=folder,
        new=lacking if what == "node" else None,
        reason="not-granted",
        remedy="widen the cgroup above first",
    )


def _write(cpuset: Cpuset, name: str, value: NodeMask) -> None:
    path = f"{cpuset.folder}/{cpuset.prefix}{name}"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise _forbidden(cpuset.folder, path, error.errno) from None
        raise _refused(cpuset.folder, name, value, error) from None
    try:
        # Without a character there would be no write.
        os.write(file, f"{value}\n".encode())
    except OSError as error:
        raise _refused(cpuset.folder, name, value, error) from None
    finally:
        os.close(file)


def _put_back(cpuset: Cpuset, undo: list[tuple[str, NodeMask]]) -> bool:
    """The last change first. Returns whether all is as it was.

    A setting that was empty, which in v2 means what the cgroup above has, cannot be emptied again
    while there are tasks (validate_change()): that is then written out.
    """
    restored = True
    for name, value in reversed(undo):
        granted = NodeMask(getattr(cpuset, f"effective_{name}"))
        try:
            _write(cpuset, name, value)
        except CpusetRefused:
            restored = not value and _written(cpuset, name, granted) and restored
    return restored


def _written(cpuset: Cpuset, name: str, value: NodeMask) -> bool:
    try:
        _write(cpuset, name, value)
    except CpusetRefused:
        return False
    return True


def _forbidden(folder: str, path: str, number: int) -> CpusetRefused:
    return CpusetRefused(
        number,
        f"{path} belongs to uid {os.stat(path).st_uid}, the caller is uid {os.geteuid()}",
        folder=folder,
        reason="permission",
        remedy="run as root, or have the cgroup delegated with its cpuset files",
    )


def _refused(folder: str, name: str, value: NodeMask, error: OSError) -> CpusetRefused:
    number = error.errno or errno.EIO
    reason, cause, remedy = _REFUSALS.get(number, ("unknown", str(error.strerror), ""))
    return CpusetRefused(
        number, f"cpuset.{name} {value}: {cause}", folder=folder, reason=reason, remedy=remedy
    )
