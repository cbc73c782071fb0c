"""From what happened to the processes of one host to that host's part of the report."""

from __future__ import annotations

from dataclasses import replace

from pymigrate.launchers.amounts import Amounts
from pymigrate.launchers.cluster_report import ClusterReport
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.outcomes import CANCELLED, DONE, LEFT
from pymigrate.launchers.rank_row import RankRow
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pymigrate.jobs.job_report import JobReport
    from pymigrate.kernel.resident import Residency
    from pymigrate.operations.report import Report

__all__ = ["failed", "of_job", "of_rows", "renamed", "sizes"]


def of_job(
    host: str, report: JobReport, ranks: Mapping[int, int] | None = None, topology: str = ""
) -> ClusterReport:
    """The part of a host whose processes were migrated or evicted.

    Args:
        host: Its name, as the engine knows it.
        report: Of its processes.
        ranks: Their numbers in the job, by pid.
        topology: ``shape.fingerprint()`` of the host.
    """
    ranks = ranks or {}
    rows = [_dealt_with(host, part, ranks.get(pid)) for pid, part in report.reports.items()]
    rows += [
        RankRow(host, pid, ranks.get(pid), LEFT, finding=str(error))
        for pid, error in report.failures.items()
    ]
    rows += [RankRow(host, pid, ranks.get(pid), CANCELLED) for pid in report.not_begun]
    outcome = DONE if report.complete else LEFT
    row = HostRow(
        host=host,
        outcome=CANCELLED if report.outcome == "cancelled" else outcome,
        amounts=Amounts.of(report.total, PAGE_SIZE),
        appeared=report.appeared * PAGE_SIZE,
        nodes=_sum(row.nodes or {} for row in rows),
        processes=len(rows),
        troubled=sum(row.in_trouble for row in rows),
        elapsed=report.elapsed,
        topology=topology,
        finding="" if report.settled or report.outcome != DONE else "new processes kept appearing",
    )
    return _single(report.action, row, rows)


def of_rows(
    action: str, host: str, rows: list[RankRow], elapsed: float, topology: str = ""
) -> ClusterReport:
    """The part of a host whose processes were looked at, for ``"check"`` and ``"show"``."""
    row = HostRow(
        host=host,
        outcome=LEFT if any(row.in_trouble for row in rows) else DONE,
        nodes=_sum(row.nodes or {} for row in rows),
        processes=len(rows),
        troubled=sum(row.in_trouble for row in rows),
        elapsed=elapsed,
        topology=topology,
    )
    return _single(action, row, rows)


def failed(action: str, row: HostRow) -> ClusterReport:
    """The part of a host on which nothing was done (``HostRow.failed()``)."""
    return _single(action, row, [])


def renamed(part: ClusterReport, host: str) -> ClusterReport:
    """The part of a host by the name that others have for it."""
    if all(row.host == host for row in part.hosts):
        return part
    return replace(
        part,
        hosts=tuple(replace(row, host=host) for row in part.hosts),
        ranks=tuple(replace(row, host=host) for row in part.ranks),
    )


def sizes(residency: Residency | None) -> dict[int, int]:
    """Bytes by node."""
    return {} if residency is None else {node: residency.bytes(node) for node in residency.nodes}


def _single(action: str, row: HostRow, rows: Iterable[RankRow]) -> ClusterReport:
    # merged() puts them in order, and keeps no more of them than a report may have.
    return ClusterReport.merged([ClusterReport(action, (row,), tuple(rows), row.elapsed)])


def _dealt_with(host: str, report: Report, rank: int | None) -> RankRow:
    fine = report.complete or report.outcome == "ended"
    left = {reason: pages * PAGE_SIZE for reason, pages in report.total.left.items()}
    return RankRow(
        host=host,
        pid=report.pid,
        rank=rank,
        outcome=CANCELLED if report.outcome == "cancelled" else DONE if fine else LEFT,
        moved=report.total.moved * PAGE_SIZE,
        left=left,
        nodes=sizes(report.after),
    )


def _sum(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for part in parts:
        for node, size in part.items():
            total[node] = total.get(node, 0) + size
    return total
