"""``migrate()``: the bare system call, with its errors named."""

from __future__ import annotations

import errno

from pymigrate._checks import check_no_map, check_pid, check_targets
from pymigrate._native import lib
from pymigrate.errors import KernelError, NoSuchProcess, NotPermitted, OutOfMemory, Unsupported
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes

__all__ = ["migrate"]

# The errors whose cause the errno alone tells, as far as it does.
_KINDS: dict[int, type[KernelError]] = {
    errno.ESRCH: NoSuchProcess,
    errno.EPERM: NotPermitted,
    errno.EACCES: NotPermitted,
    errno.ENOMEM: OutOfMemory,
    errno.ENOSYS: Unsupported,
}


def migrate(pid: int, old: Nodes, new: Nodes) -> int:
    """Moves the memory of a process from some nodes to others, in one migrate_pages(2).

    Pages go as ``plan(old, new)`` says. The call returns when the kernel is done, and other threads
    of the interpreter run meanwhile. Memory policies stay as they are.

    Args:
        pid: The process, or one of its threads; 0 is the calling process.
        old: Nodes to move pages from. Nodes that do not exist are no error; they count for the
            pairing, and for each of them the kernel goes through all the memory in vain.
        new: Nodes to move them to.

    Returns:
        Pages that could not be moved, as the kernel counts them: base pages, and a huge page as the
        kernel's version sees it. **0 does not mean that everything moved**: swapped-out pages, and
        without CAP_SYS_NICE pages that other processes map too, are left behind uncounted. Only a
        look at the residency afterwards tells.

    Raises:
        InvalidArgument: An argument makes no sense; nothing was done. ``InvalidNodes`` and
            ``InvalidType`` are kinds of it.
        NoSuchProcess: ESRCH.
        NotPermitted: EPERM, EACCES; its ``reason`` says which rule stood in the way.
        NodesRefused: EINVAL because of the nodes.
        NoUserMemory: EINVAL because it is a kernel thread or a zombie.
        OutOfMemory: ENOMEM, the targets are full; what moved before that stays moved.
        Unsupported: ENOSYS.
    """
    check_pid(pid)
    sources, targets = _mask("old", old), _mask("new", new)
    check_targets(targets)
    from_bitmap, to_bitmap = sources.to_bitmap(), targets.to_bitmap()
    result = lib.pm_migrate(pid, from_bitmap, len(from_bitmap), to_bitmap, len(to_bitmap))
    if result < 0:
        raise _refusal(-result, pid, sources, targets)
    return result


def _mask(name: str, nodes: Nodes) -> NodeMask:
    # A mask is taken as it is, and text is no map: even such questions show beside the system call.
    if type(nodes) is NodeMask:
        return nodes
    if not isinstance(nodes, str):
        check_no_map(name, nodes)
    return NodeMask(nodes)


def _refusal(number: int, pid: int, old: NodeMask, new: NodeMask) -> KernelError:
    # Looked up only now: a refusal is the rare case, and its causes take files to read.
    try:
        from pymigrate.diagnose import diagnose
    except (ImportError, OSError) as error:  # after a chroot, or as a user who cannot read it
        kind = _KINDS.get(number, KernelError)
        cause = f"why is not to be seen, as pymigrate.diagnose cannot be imported ({error})"
        remedy = "import pymigrate.diagnose before the process changes its root or its user"
        return kind(number, cause, pid=pid, old=old, new=new, remedy=remedy)
    return diagnose(number, pid, old, new)
