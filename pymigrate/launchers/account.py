"""From what happened to the processes of one host to that host's part of the report."""

from __future__ import annotations

from dataclasses import replace

from pymigrate.launchers.amounts import Amounts
from pymigrate.launchers.cluster_report import ClusterReport
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.outcomes import CANCELLED, DONE, FAILED, LEFT, REFUSED
from pymigrate.launchers.rank_row import RankRow
from pymigrate.operations.verdicts import WARNING
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pymigrate.errors import KernelError
    from pymigrate.jobs.job_preflight import JobPreflight
    from pymigrate.jobs.job_report import JobReport
    from pymigrate.kernel.resident import Residency
    from pymigrate.operations.report import Report
    from pymigrate.operations.verdicts import Verdict

__all__ = ["failed", "of_check", "of_job", "of_look", "renamed"]


def of_job(
    host: str,
    report: JobReport,
    ranks: Mapping[int, int] | None = None,
    topology: str = "",
    fault: Exception | None = None,
) -> ClusterReport:
    """The part of a host whose processes were migrated or evicted.

    Args:
        host: Its name, as the engine knows it.
        report: Of its processes.
        ranks: Their numbers in the job, by pid.
        topology: ``shape.fingerprint()`` of the host.
        fault: What has ended it early, though nobody has stopped it.
    """
    ranks = ranks or {}
    rows = [_dealt_with(host, part, ranks.get(pid)) for pid, part in report.reports.items()]
    rows += [RankRow(host, pid, ranks.get(pid), CANCELLED) for pid in report.not_begun]
    settled = report.settled or report.outcome != "done"
    row = HostRow(
        host,
        CANCELLED if report.outcome == "cancelled" else DONE if report.complete else LEFT,
        amounts=Amounts.of(report.total, PAGE_SIZE),
        appeared=report.appeared * PAGE_SIZE,
        elapsed=report.elapsed,
        topology=topology,
        finding="" if settled else "new processes kept appearing",
    )
    if fault:
        told = HostRow.failed(host, fault)
        row = replace(row, outcome=FAILED, error=told.error, finding=told.finding)
    return _whole(report.action, row, rows, report.failures, ranks)


def of_check(
    action: str,
    host: str,
    found: JobPreflight,
    residencies: Mapping[int, Residency],
    ranks: Mapping[int, int],
    elapsed: float = 0.0,
    topology: str = "",
) -> ClusterReport:
    """The part of a host where it was looked at what decides, for its processes as a whole.

    Args:
        action: What was done, in one word.
        host: Its name, as the engine knows it.
        found: What was found.
        residencies: Of the processes, by pid.
        ranks: Their numbers in the job, by pid.
        elapsed: Seconds.
        topology: ``shape.fingerprint()`` of the host.
    """
    rows = [
        RankRow(
            host,
            pid,
            ranks.get(pid),
            DONE if preflight else REFUSED,
            nodes=_sizes(residencies.get(pid)),
            finding=_told(preflight.verdicts),
        )
        for pid, preflight in found.processes.items()
    ]
    finding = _told(found.verdicts) if rows else ""
    row = HostRow(
        host, DONE if found else REFUSED, elapsed=elapsed, topology=topology, finding=finding
    )
    return _whole(action, row, rows, found.failures, ranks)


def of_look(
    action: str,
    host: str,
    residencies: Mapping[int, Residency],
    failures: Mapping[int, KernelError],
    ranks: Mapping[int, int],
    elapsed: float = 0.0,
    topology: str = "",
) -> ClusterReport:
    """The part of a host where it was looked where memory is; arguments as for ``of_check()``."""
    rows = [
        RankRow(host, pid, ranks.get(pid), nodes=_sizes(residency))
        for pid, residency in residencies.items()
    ]
    row = HostRow(host, LEFT if failures else DONE, elapsed=elapsed, topology=topology)
    return _whole(action, row, rows, failures, ranks)


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


def _whole(
    action: str,
    row: HostRow,
    rows: list[RankRow],
    failures: Mapping[int, KernelError],
    ranks: Mapping[int, int],
) -> ClusterReport:
    """A host with all of its processes; where none could be dealt with, the host has failed."""
    by_pid = {each.pid: each for each in rows}
    for pid, error in failures.items():
        # One that was refused midway has a row, of what had been done.
        each = by_pid.get(pid) or RankRow(row.host, pid, ranks.get(pid))
        by_pid[pid] = replace(each, outcome=FAILED, finding=str(error))
    rows = list(by_pid.values())
    if failures and len(rows) == len(failures) and row.outcome not in (CANCELLED, FAILED):
        first = failures[min(failures)]
        finding = str(first)
        if len(failures) > 1:
            finding = f"none of {len(failures)} processes could be dealt with; {finding}"
        row = replace(row, outcome=FAILED, error=type(first).__name__, finding=finding)
    row = replace(
        row,
        nodes=_sum(each.nodes or {} for each in rows),
        processes=len(rows),
        troubled=sum(each.in_trouble for each in rows),
    )
    return _single(action, row, rows)


def _told(verdicts: Iterable[Verdict]) -> str:
    """What is refused, and what helps; or else what there is a warning of."""
    for decisive in (REFUSED, WARNING):
        told = [verdict.told for verdict in verdicts if verdict.state == decisive]
        if told:
            return "; ".join(told)
    return ""


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
        nodes=_sizes(report.after),
    )


def _sizes(residency: Residency | None) -> dict[int, int]:
    """Bytes by node."""
    return {} if residency is None else {node: residency.bytes(node) for node in residency.nodes}


def _sum(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for part in parts:
        for node, size in part.items():
            total[node] = total.get(node, 0) + size
    return total
