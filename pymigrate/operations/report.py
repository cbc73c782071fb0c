"""The report of an operation: what was asked for, what moved, what stayed behind, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pymigrate.operations.ledger import Counts
from pymigrate.operations.reasons import explain
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.kernel.resident import Residency

__all__ = ["Progress", "Report"]


@dataclass(frozen=True)
class Progress:
    """How far an operation is.

    Attributes:
        done: Bytes that are dealt with: moved or evicted, vanished, or left for a reason.
        total: Bytes that had to leave when the operation began.
        rate: Bytes moved or evicted in a second, since the beginning.
        seconds_left: What is left at that rate; None while there is none.
    """

    done: int
    total: int
    rate: float
    seconds_left: float | None

    @property
    def left(self) -> int:
        """Bytes that are not dealt with yet."""
        return max(0, self.total - self.done)


@dataclass(frozen=True)
class Report:
    """What an operation did.

    Counts are base pages of ``page_size`` bytes; a huge page counts as all of its base pages. The
    sums close: asked = moved + already there + vanished + left behind, as a whole, for each source,
    and for each kind.

    Attributes:
        pid: The process.
        action: ``"migrate"`` or ``"evict"``.
        sources: Nodes whose pages had to leave.
        moves: Target by source node; empty for an eviction.
        outcome: ``"done"``; ``"cancelled"``; ``"ended"`` if the process ended or ran another
            program (exec) meanwhile.
        methods: System calls that did it, in the order in which they were used first.
        page_size: Bytes of a base page.
        elapsed: Seconds.
        steps: How many there were; none where a single system call did it all.
        longest_step: Seconds: for so long the process was held up at the most.
        total: Everything together.
        by_source: By the node that pages came from.
        by_kind: By what the mapping is made of: ``anonymous``, ``file``, ``shared``, ``hugetlb``.
        appeared: Pages that were on the source nodes at the end without having been asked to move:
            touched for the first time, or brought back, after the last look.
        before: Residency before; None if it could not be read.
        after: Residency afterwards; None if the process has ended.
        bounced: Pages that ``look_again()`` found back on the source nodes; None before that.
        balancing: Whether the kernel's NUMA balancing was on, which brings pages back.
    """

    pid: int
    action: str
    sources: tuple[int, ...]
    moves: dict[int, int]
    outcome: str
    methods: tuple[str, ...]
    page_size: int
    elapsed: float
    steps: int
    longest_step: float
    total: Counts
    by_source: dict[int, Counts]
    by_kind: dict[str, Counts]
    appeared: int
    before: Residency | None
    after: Residency | None
    bounced: int | None
    balancing: bool

    @property
    def complete(self) -> bool:
        """Whether every page that was asked for is where it should be."""
        return self.outcome == "done" and not self.total.left_behind and not self.appeared

    @property
    def rate(self) -> float:
        """Bytes moved in a second."""
        return self.total.moved * self.page_size / self.elapsed if self.elapsed else 0.0

    def to_dict(self) -> dict[str, object]:
        """The report for programs: JSON types only, counts in base pages."""
        return {
            "pid": self.pid,
            "action": self.action,
            "sources": list(self.sources),
            "moves": {str(source): target for source, target in self.moves.items()},
            "outcome": self.outcome,
            "complete": self.complete,
            "methods": list(self.methods),
            "page_size": self.page_size,
            "elapsed_seconds": self.elapsed,
            "steps": self.steps,
            "longest_step_seconds": self.longest_step,
            "bytes_per_second": self.rate,
            **self.total.to_dict(),
            "appeared": self.appeared,
            "bounced": self.bounced,
            "balancing": self.balancing,
            "by_source": {str(node): c.to_dict() for node, c in self.by_source.items()},
            "by_kind": {kind: c.to_dict() for kind, c in self.by_kind.items()},
            "before": None if self.before is None else self.before.to_dict(),
            "after": None if self.after is None else self.after.to_dict(),
        }

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        """The report for people, some lines."""
        return "\n".join(_lines(self))


def _lines(report: Report) -> list[str]:
    def amount(pages: int) -> str:
        return f"{pages} pages, {format_bytes(pages * report.page_size)}"

    total = report.total
    lines = [
        f"pid {report.pid}, {_routes(report)}: {report.outcome} in {report.elapsed:.3f} s"
        f" ({format_bytes(report.rate)}/s{_means(report)})",
        f"  asked for      {amount(total.asked)}",
        f"  {'evicted' if report.action == 'evict' else 'moved':14} {amount(total.moved)}",
    ]
    if total.already_there:
        lines.append(f"  already there  {amount(total.already_there)}")
    if total.vanished:
        lines.append(f"  vanished       {amount(total.vanished)}")
    lines.append(f"  left behind    {amount(total.left_behind)}")
    for reason, pages in total.left.items():
        cause, remedy = explain(report.action, reason)
        lines.append(f"    {reason}: {amount(pages)}: {cause}; {remedy}")
    if report.appeared:
        lines.append(f"  appeared       {amount(report.appeared)}: touched there meanwhile")
    if report.bounced is not None:
        cause = "NUMA balancing is on" if report.balancing else "something brought them back"
        lines.append(
            f"  bounced back   {amount(report.bounced)}{f': {cause}' * bool(report.bounced)}"
        )
    return lines


def _routes(report: Report) -> str:
    if not report.sources:
        return "nothing has to leave"
    if report.moves:
        return "nodes " + ", ".join(f"{s} -> {t}" for s, t in report.moves.items())
    return "out of nodes " + ", ".join(map(str, report.sources))


def _means(report: Report) -> str:
    """By which calls, and in how many steps of which length."""
    if not report.methods:
        return ""
    how_many = "1 step" if report.steps == 1 else f"{report.steps} steps"
    steps = f", {how_many}, the longest {report.longest_step * 1000:.1f} ms"
    return f" by {' and '.join(report.methods)}{steps if report.steps else ''}"
