"""The single system call, accounted for by the residency before and after it.

One migrate_pages(2) is the fastest way where nobody wants to watch or bound the operation. It also
sees pages that move_pages(2) does not (kernels 6.1 to 6.5 with NUMA balancing on). Its own result
says little, so what it did is told from where the pages were before and are afterwards.
"""

from __future__ import annotations

import errno

from pymigrate.errors import NoSuchProcess, NoUserMemory, OutOfMemory
from pymigrate.migrate import migrate
from pymigrate.operations.ledger import Entry
from pymigrate.units import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate.kernel._memory_files import MemoryFiles
    from pymigrate.kernel.resident import Residency
    from pymigrate.operations.routes import Routes

__all__ = ["departures", "is_enough", "migrate_directly"]


def is_enough(routes: Routes, *, shared: bool | None, privileged: bool) -> bool:
    """Whether the single call does what is asked for: it moves shared pages whenever it may."""
    return shared in (None, privileged) and not routes.overlap


def migrate_directly(files: MemoryFiles, routes: Routes) -> None:
    """Makes the call, or several where the map is none that the kernel pairs so.

    Args:
        files: Of the process; they stay with the memory that it had when they were opened.
        routes: Which node's pages go where.

    Raises:
        NotPermitted, NodesRefused, Unsupported: As ``migrate()``; calls before it have moved pages.
        NoSuchProcess: The process has ended, or replaced its memory.
    """
    try:
        for old, new in routes.calls():
            files.check()  # else its pid may mean another program by now
            migrate(files.pid, old, new)
    except OutOfMemory:
        pass  # what moved before stays moved, and what did not is found by the look afterwards
    except NoUserMemory as error:
        raise NoSuchProcess(errno.ESRCH, error.cause, pid=files.pid, reason="gone") from None


def departures(routes: Routes, before: Residency, after: Residency) -> Iterator[Entry]:
    """What has left the source nodes, for the ledger.

    What is still there is not entered: somebody has to look at those pages one by one.

    Args:
        routes: Which node's pages went where. No target may be a source.
        before: Residency before the call.
        after: Residency afterwards.
    """
    for kind in KINDS:
        arrived = {
            target: after.pages(target, kind) - before.pages(target, kind)
            for target in routes.targets
        }
        for source, target in routes.moves.items():
            gone = max(0, before.pages(source, kind) - after.pages(source, kind))
            # What left the source without appearing on the target has been freed meanwhile.
            moved = min(gone, max(0, arrived[target]))
            arrived[target] -= moved
            yield Entry(source, kind, "asked", gone)
            yield Entry(source, kind, "moved", moved)
            yield Entry(source, kind, "vanished", gone - moved)
