"""The table of an operation on a job: a row for each process, then the sum in words."""

from __future__ import annotations

from pymigrate.cli.tables import new_table, print_out
from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.errors import KernelError
    from pymigrate.jobs.job_report import JobReport
    from pymigrate.operations.report import Report

__all__ = ["print_rows"]


def print_rows(report: JobReport) -> None:
    """A row for each process: those that were begun with in that order, then all others."""
    done = "evicted" if report.action == "evict" else "moved"
    columns = ("pid", done, "already there", "left behind", "appeared", "outcome", "reasons")
    table = new_table("processes", *columns, left=("outcome", "reasons"))
    for part in report.earlier:
        table.add_row(*_row(part))
    for pid, part in report.reports.items():
        table.add_row(*_row(part, report.failures.get(pid)))
    nothing = ["-"] * 4
    for pid, error in report.failures.items():
        if pid not in report.reports:
            table.add_row(str(pid), *nothing, "failed", error.reason)
    for pid in report.not_begun:
        table.add_row(str(pid), *nothing, "not begun", "")
    print_out(table)


def _row(part: Report, error: KernelError | None = None) -> list[str]:
    counts = part.total
    amounts = (counts.moved, counts.already_there, counts.left_behind, part.appeared)
    outcome, reasons = ("failed", error.reason) if error else (part.outcome, ", ".join(counts.left))
    return [str(part.pid), *(_amount(pages) for pages in amounts), outcome, reasons]


def _amount(pages: int) -> str:
    return format_bytes(pages * PAGE_SIZE) if pages else "-"
