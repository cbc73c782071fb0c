"""The report of a job: one for each process, and their sum."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from pymigrate.operations.ledger import Counts
from pymigrate.operations.report import Progress, Report
from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pymigrate.errors import KernelError

__all__ = ["JobProgress", "JobReport", "joined"]


@dataclass(frozen=True)
class JobProgress(Progress):
    """How far the operation on a job is. What processes share counts once.

    Attributes:
        processes: Processes that were found so far.
        finished: Those that are dealt with, but for pages that they share with others.
    """

    processes: int
    finished: int


@dataclass(frozen=True)
class JobReport:
    """What an operation did to the processes of a job.

    Counts are base pages. Memory that processes share is counted with the one for which it moved;
    what of it was already there, or is left behind, with each of them.

    Attributes:
        action: ``"migrate"`` or ``"evict"``.
        outcome: ``"done"``; ``"cancelled"``.
        settled: Whether a last look found no process that had not been dealt with.
        elapsed: Seconds.
        reports: By pid, of each process that was begun with, in that order.
        failures: By pid, why a process could not be dealt with, or not to the end: it then has a
            report too, of what had been done.
        not_begun: Processes that a cancelled operation, or one that an error ended, did not come
            to; also those for which that error was raised before they were begun with.
        earlier: Reports of processes that ended, and whose pid another one of the job got.
    """

    action: str
    outcome: str
    settled: bool
    elapsed: float
    reports: dict[int, Report]
    failures: dict[int, KernelError]
    not_begun: tuple[int, ...]
    earlier: tuple[Report, ...] = ()

    @property
    def parts(self) -> list[Report]:
        """The reports of all processes, also of those whose pid means another one by now."""
        return [*self.earlier, *self.reports.values()]

    @property
    def total(self) -> Counts:
        """All processes together."""
        return _sum(report.total for report in self.parts)

    @property
    def by_source(self) -> dict[int, Counts]:
        """The same by the node that pages came from."""
        rows: dict[int, Counts] = {}
        for report in self.parts:
            for node, counts in report.by_source.items():
                rows.setdefault(node, Counts()).include(counts)
        return dict(sorted(rows.items()))

    @property
    def appeared(self) -> int:
        """Pages that were on the source nodes at the end without having been asked for."""
        return sum(report.appeared for report in self.parts)

    @property
    def complete(self) -> bool:
        """Whether everything is where it should be. That a process has ended is no fault."""
        return (
            self.outcome == "done"
            and self.settled
            and not self.failures
            and not self.not_begun
            and all(r.complete or r.outcome == "ended" for r in self.parts)
        )

    @property
    def rate(self) -> float:
        """Bytes moved or evicted in a second."""
        return self.total.moved * PAGE_SIZE / self.elapsed if self.elapsed else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report for programs: JSON types only, counts in base pages."""
        return {
            "action": self.action,
            "outcome": self.outcome,
            "complete": self.complete,
            "settled": self.settled,
            "elapsed_seconds": self.elapsed,
            "bytes_per_second": self.rate,
            "page_size": PAGE_SIZE,
            **self.total.to_dict(),
            "appeared": self.appeared,
            "by_source": {str(node): c.to_dict() for node, c in self.by_source.items()},
            "processes": [report.to_dict() for report in self.parts],
            "failures": [error.to_dict() for error in self.failures.values()],
            "not_begun": list(self.not_begun),
        }

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        """The report for people: the sum, and a line for each process that is not all there."""
        return "\n".join(_lines(self))


def joined(own: Report, shared: Report) -> Report:
    """One report of two passes over a process: over its own pages, then over those it shares.

    What the first left behind, for whatever reason, was asked for again in the second; and what
    the second found to be there already the first has counted.
    """
    sources = set(own.by_source) | set(shared.by_source)
    kinds = set(own.by_kind) | set(shared.by_kind)
    return replace(
        shared,
        methods=tuple(dict.fromkeys(own.methods + shared.methods)),
        elapsed=own.elapsed + shared.elapsed,
        steps=own.steps + shared.steps,
        longest_step=max(own.longest_step, shared.longest_step),
        total=_joined(own.total, shared.total),
        by_source=_joined_rows(own.by_source, shared.by_source, sorted(sources)),
        by_kind=_joined_rows(own.by_kind, shared.by_kind, sorted(kinds)),
        before=own.before,
    )


def _joined_rows(own: Mapping[Any, Counts], shared: Mapping[Any, Counts], keys: Any) -> Any:
    return {key: _joined(own.get(key, Counts()), shared.get(key, Counts())) for key in keys}


def _joined(own: Counts, shared: Counts) -> Counts:
    counts = Counts()
    counts.include(own)
    for reason, again in own.left.items():
        counts.add("asked", -again)
        counts.add(reason, -again)
    counts.include(shared)
    counts.add("asked", -shared.already_there)
    counts.add("already_there", -shared.already_there)
    return counts


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in parts:
        total.include(counts)
    return total


def _lines(report: JobReport) -> list[str]:
    def amount(pages: int) -> str:
        return f"{pages} pages, {format_bytes(pages * PAGE_SIZE)}"

    total = report.total
    failed = len(report.failures)
    count = len(report.parts) + len(report.failures.keys() - report.reports.keys())
    who = "1 process" if count == 1 else f"{count} processes"
    outcome = report.outcome if report.parts or not failed else "failed"
    who += f", {failed} of them not dealt with" if failed and report.parts else ""
    each = ": what processes share counts with each" if len(report.parts) > 1 else ""
    lines = [
        f"{who}: {outcome} in {report.elapsed:.3f} s ({format_bytes(report.rate)}/s)",
        f"  asked for      {amount(total.asked)}",
        f"  {'evicted' if report.action == 'evict' else 'moved':14} {amount(total.moved)}",
        *(
            f"  {name:14} {amount(pages)}{note}"
            for name, pages, note in (
                ("already there", total.already_there, each),
                ("vanished", total.vanished, ""),
            )
            if pages
        ),
        f"  left behind    {amount(total.left_behind)}",
        *(f"    {reason}: {amount(pages)}" for reason, pages in total.left.items()),
    ]
    if report.appeared:
        lines.append(f"  appeared       {amount(report.appeared)}: touched there meanwhile")
    if not report.settled and report.outcome == "done":
        lines.append("  not settled: there were new processes at the last look too")
    for pid, error in report.failures.items():
        who = f"pid {pid}" if pid else "without a pid"
        lines.append(f"  {who}: {error.cause}{'; ' * bool(error.remedy)}{error.remedy}")
    if report.not_begun:
        lines.append(f"  not begun: {', '.join(map(str, report.not_begun))}")
    return lines
