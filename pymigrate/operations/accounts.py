"""The accounts of an operation: what it knows of the pages, from the first look to the report."""

from __future__ import annotations

import time
from collections import Counter
from copy import deepcopy

from pymigrate.errors import NoSuchProcess, NoUserMemory
from pymigrate.kernel.nodes import balancing_mode
from pymigrate.kernel.resident import residency
from pymigrate.operations.ledger import Entry, Ledger
from pymigrate.operations.report import Progress, Report
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.kernel._memory_files import MemoryFiles
    from pymigrate.kernel.resident import Residency
    from pymigrate.nodemask import NodeMask
    from pymigrate.operations.action import Step
    from pymigrate.operations.routes import Routes

__all__ = ["Accounts"]

# Reasons that may be over in a moment.
_PASSING = ("busy", "writeback", "hidden")


class Accounts:
    """Keeps count of what is done to a process.

    Args:
        files: Its files in /proc: they stay with the memory that it has now.
        routes: Which nodes' pages have to leave.
        before: Its residency now.

    Attributes:
        ledger: What became of the pages so far.
        hidden: Base pages in memory that move_pages(2) did not see when they were last gone over.
        before: Residency at the beginning.
    """

    def __init__(self, files: MemoryFiles, routes: Routes, before: Residency) -> None:
        self.ledger = Ledger()
        self.hidden = 0
        self._files = files
        self._routes = routes
        self._calls: dict[str, None] = {}
        self._steps = 0
        self._longest = 0.0
        # Of those left behind, pages that residency does not show: they are in no page table.
        self._unmapped: Counter[tuple[int | None, str | None]] = Counter()
        self._now: Residency | None = before
        self.before = before
        self._total = self._on_sources(before)
        self._start_time = time.monotonic()
        self._enter_settled()

    # -- looking

    def resident(self) -> Residency:
        """The residency now; looked up anew if something was done since the last time.

        Raises:
            NoSuchProcess, NoUserMemory: The process has ended, or replaced its memory.
        """
        if self._now is None:
            self._now = residency(self._files.pid, files=self._files)
        return self._now

    def expect_changes(self) -> None:
        """What was seen is going to change."""
        self._now = None

    def note(self, call: str) -> None:
        """A system call was made."""
        self._calls[call] = None

    @property
    def some_hidden(self) -> bool:
        """Whether there are pages that move_pages(2) has not seen, or has lost sight of."""
        return bool(self.hidden or self.ledger.total.left.get("hidden"))

    def worth_trying(self, attempt: int) -> bool:
        """Whether another round may do something: there is more to do, or it failed in passing."""
        if self.hidden or any(self.ledger.total.left.get(reason) for reason in _PASSING):
            return True
        if attempt and self._routes.overlap:
            return False
        return self._on_sources(self.resident()) > self._left_mapped()

    # -- entering

    def take(self, step: Step, call: str) -> None:
        """Enters what a step did, by a system call."""
        self.note(call)
        self.ledger.enter(step.entries)
        for entry in step.entries:
            if not entry.mapped:
                self._unmapped[entry.source, entry.kind] += entry.pages
        self.hidden += step.hidden
        self._steps += 1
        self._longest = max(self._longest, step.seconds)

    def _enter_settled(self) -> None:
        for kind in KINDS:
            for node in self._routes.settled:
                pages = self.before.pages(node, kind)
                for column in ("asked", "already_there") if pages else ():
                    self.ledger.enter([Entry(node, kind, column, pages)])

    def _enter_not_tried(self, after: Residency) -> None:
        """Pages that a cancelled operation did not come to; where routes overlap none can tell."""
        counted = {
            key: counts.left_behind - self._unmapped[key]
            for key, counts in self.ledger.rows()
            if counts.left_behind
        }
        for kind in KINDS:
            for node in lasting(self._routes):
                pages = max(0, after.pages(node, kind) - counted.get((node, kind), 0))
                for column in ("asked", "not-tried"):
                    self.ledger.enter([Entry(node, kind, column, pages)])

    # -- telling

    def progress(self) -> Progress:
        """How far it is."""
        total = self._total * PAGE_SIZE
        counts = self.ledger.total
        done = (counts.asked - counts.already_there) * PAGE_SIZE
        elapsed = time.monotonic() - self._start_time
        rate = counts.moved * PAGE_SIZE / elapsed if elapsed else 0.0
        left = max(0, total - done)
        return Progress(done, max(total, done), rate, left / rate if rate else None)

    def close(self, action: str, outcome: str, *, look: bool = True) -> Report:
        """The report, after a last look; or without, as if the process had gone meanwhile."""
        after = None
        if outcome != "ended" and look:
            try:
                after = self.resident()
            except (NoSuchProcess, NoUserMemory):
                outcome = "ended"
        if outcome != "cancelled":  # those count as not tried
            for column in ("asked", "hidden"):
                self.ledger.enter([Entry(None, None, column, self._hidden_on_sources(after))])
        if after is not None and outcome == "cancelled":
            self._enter_not_tried(after)
        return Report(
            pid=self._files.pid,
            action=action,
            sources=tuple(self._routes.sources),
            moves=dict(self._routes.moves),
            outcome=outcome,
            methods=tuple(self._calls),
            page_size=PAGE_SIZE,
            elapsed=time.monotonic() - self._start_time,
            steps=self._steps,
            longest_step=self._longest,
            total=deepcopy(self.ledger.total),
            by_source=self.ledger.by_source(),
            by_kind=self.ledger.by_kind(),
            appeared=self._appeared(after),
            before=self.before,
            after=after,
            bounced=None,
            balancing=bool(balancing_mode()),
        )

    def _hidden_on_sources(self, after: Residency | None) -> int:
        """Of the hidden pages, whose nodes no call tells, those that can be on the sources."""
        if after is None or self._routes.overlap:
            return self.hidden
        return min(self.hidden, max(0, self._on_sources(after) - self._left_mapped()))

    def _on_sources(self, resident: Residency) -> int:
        return sum(resident.pages(node) for node in self._routes.sources)

    def _appeared(self, after: Residency | None) -> int:
        if after is None or self._routes.overlap:
            return 0
        return max(0, self._on_sources(after) - self._left_mapped())

    def _left_mapped(self) -> int:
        """Pages left behind so far that residency shows."""
        return self.ledger.total.left_behind - sum(self._unmapped.values())


def lasting(routes: Routes) -> NodeMask:
    """Sources that nothing moves to: whatever lies there at the end has not left."""
    return routes.sources - routes.targets
