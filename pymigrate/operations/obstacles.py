"""What stands in the way of an operation for certain, by name: refused before anything moves."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pymigrate import causes
from pymigrate.causes import Cause
from pymigrate.errors import NotPermitted
from pymigrate.nodemask import NodeMask
from pymigrate.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate.operations.routes import Routes

__all__ = ["Facts", "find_obstacles", "refuse"]

_NUMBERS = {
    "source-nodes": errno.EINVAL,
    "user-memory": errno.EINVAL,
    "identity": errno.EPERM,
    "target-nodes": errno.ENODEV,
    "target-cpuset": errno.EACCES,
    "caller-cpuset": errno.EINVAL,
    "shared-pages": errno.EPERM,
}


@dataclass(frozen=True)
class Facts:
    """What the rules look at.

    Attributes:
        routes: Which node's pages go where.
        caller: Who asks.
        target: Whose memory.
        shared: Pages that other processes map too have to move.
    """

    routes: Routes
    caller: Task
    target: Task
    shared: bool


def find_obstacles(facts: Facts) -> Iterator[tuple[str, Cause | None]]:
    """Each rule by its name, with the cause if it is not met, in the order of the kernel.

    Rules on cpusets are left out where no target is there: that says it all.
    """
    targets = facts.routes.targets
    yield "source-nodes", causes.too_large(facts.routes.old, facts.caller)
    yield "user-memory", causes.no_user_memory(facts.target)
    yield "identity", causes.not_traceable(facts.caller, facts.target)
    absent = causes.too_large(facts.routes.new, facts.caller) or causes.memoryless(targets)
    yield "target-nodes", absent
    there = targets & NodeMask.has_memory() if absent else targets
    if there or not absent:
        yield "target-cpuset", causes.outside_cpuset_of_target(there, facts.target)
        outside = causes.outside_cpuset_of_caller(there, facts.caller) if there else None
        yield "caller-cpuset", outside
    yield "shared-pages", _shared(facts) if facts.shared else None


def refuse(facts: Facts) -> None:
    """Raises what the kernel would answer to each and every page.

    Raises:
        NoUserMemory: It is a kernel thread or a zombie.
        NotPermitted: The caller may not touch the process or its shared pages, or the process may
            not have memory on the targets.
        NodesRefused: A target has no memory, or none is in the cpuset of the caller; or the kernel
            is not built for one of the nodes.
    """
    for name, cause in find_obstacles(facts):
        if cause:
            routes = facts.routes
            # get_nodes() in mm/mempolicy.c looks at both sets alike.
            number = errno.EINVAL if cause.reason == "too-large" else _NUMBERS[name]
            raise cause.to_error(number, facts.target.pid, routes.old, routes.new)


def _shared(facts: Facts) -> Cause | None:
    if facts.caller.may_move_anything():
        return None
    return Cause(
        NotPermitted,
        "shared",
        "to move pages that other processes map too takes CAP_SYS_NICE, outside user namespaces",
        "run with CAP_SYS_NICE, or leave shared pages where they are",
    )
