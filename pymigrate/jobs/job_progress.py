"""How far the operation on a job is, where two passes go over a process."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pymigrate.jobs.job_report import JobProgress
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.jobs.member import Member
    from pymigrate.operations.ledger import Counts

__all__ = ["HowFar"]


@dataclass
class _Part:
    """One process, in base pages: before the pass under way, and with it."""

    base_done: int = 0
    base_moved: int = 0
    again: int = 0  # left behind by the first pass, not shared: the second meets these once more
    done: int = 0
    moved: int = 0


class HowFar:
    """Adds up what is told of each process. One thread for each process may tell.

    Args:
        shared_later: Whether what is left behind for being shared is dealt with in a second pass.
    """

    def __init__(self, *, shared_later: bool) -> None:
        self._shared_later = shared_later
        self._parts: dict[Member, _Part] = {}
        self._start_time = time.monotonic()

    def begin_again(self, member: Member, left: Counts) -> None:
        """The second pass over a process begins.

        Args:
            member: The process.
            left: What became of its pages in the first.
        """
        part = self._parts[member]
        part.base_done, part.base_moved = part.done, part.moved
        part.again = left.left_behind - left.left.get("shared", 0)

    def note(self, member: Member, counts: Counts, *, again: bool) -> None:
        """What has become of the pages of a process so far, in the pass under way."""
        part = self._parts.setdefault(member, _Part())
        done = counts.asked - counts.already_there - part.again
        if self._shared_later and not again:
            done -= counts.left.get("shared", 0)
        part.done = max(part.done, part.base_done + done)
        part.moved = part.base_moved + counts.moved

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._start_time

    def progress(self, pages: int, processes: int, finished: int) -> JobProgress:
        """How far it is.

        Args:
            pages: That had to leave, as far as that is known.
            processes: That were found.
            finished: Those that are dealt with.
        """
        parts = list(self._parts.values())
        done = sum(part.done for part in parts) * PAGE_SIZE
        moved = sum(part.moved for part in parts) * PAGE_SIZE
        total = max(pages * PAGE_SIZE, done)
        rate = moved / self.elapsed if moved else 0.0
        left = (total - done) / rate if rate else None
        return JobProgress(done, total, rate, left, processes, finished)
