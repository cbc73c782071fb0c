"""The report of a job that spans hosts, in lines for people."""

from __future__ import annotations

from pymigrate.launchers.outcomes import DONE
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.host_row import HostRow
    from pymigrate.operations.ledger import Counts

__all__ = ["lines", "told"]

_LINES_OF_TROUBLE = 20
_HOSTS_NAMED = 8


def lines(report: ClusterReport) -> list[str]:
    """The sums, then what is wrong where, at most some lines of each."""
    text = [_headline(report)]
    if not report.only_looked:
        text += _sums(report)
    text += _troubles(report)
    text += _topologies(report)
    if report.ranks_omitted:
        text.append(f"  {report.ranks_omitted} processes have no row of their own here")
    return text


def _headline(report: ClusterReport) -> str:
    hosts, processes = len(report.hosts), report.processes
    who = f"{hosts} host{'s' * (hosts != 1)}, {processes} process{'es' * (processes != 1)}"
    return f"{who}: {told(report, report.outcome)} in {report.elapsed:.3f} s"


def told(report: ClusterReport, outcome: str) -> str:
    """An outcome of a report, of its hosts or its processes, in words."""
    return "nothing is refused" if report.checked and outcome == DONE else outcome


def _sums(report: ClusterReport) -> list[str]:
    pages, sizes = report.total.pages, report.total.bytes

    def line(name: str, column: str) -> str:
        return f"  {name:14} {_amount(getattr(pages, column), getattr(sizes, column))}"

    text = [line("asked for", "asked")]
    text.append(line("evicted" if report.action == "evict" else "moved", "moved"))
    text += [
        line(name, column)
        for name, column in (("already there", "already_there"), ("vanished", "vanished"))
        if getattr(pages, column)
    ]
    text.append(line("left behind", "left_behind"))
    text += _reasons(pages, sizes)
    if report.appeared:
        text.append(f"  appeared       {format_bytes(report.appeared)}: touched there meanwhile")
    return text


def _reasons(pages: Counts, sizes: Counts) -> Iterable[str]:
    for reason, count in pages.left.items():
        yield f"    {reason}: {_amount(count, sizes.left[reason])}"


def _amount(pages: int, size: int) -> str:
    return f"{pages} pages, {format_bytes(size)}"


def _troubles(report: ClusterReport) -> list[str]:
    """Hosts and processes of which there is something to tell."""
    troubled = [
        f"  {row.host}: {told(report, row.outcome)}{_what(row)}"
        for row in report.hosts
        if row.outcome != DONE or row.finding
    ]
    troubled += [
        f"  {row.host}, {'' if row.rank is None else f'rank {row.rank}, '}pid {row.pid}: "
        f"{row.finding}"
        for row in report.ranks
        if row.finding
    ]
    more = len(troubled) - _LINES_OF_TROUBLE
    return troubled[:_LINES_OF_TROUBLE] + [f"  ... and {more} more of that kind"] * (more > 0)


def _what(row: HostRow) -> str:
    if row.finding:
        return f": {row.finding}"
    return f": {row.troubled} of {row.processes} processes" if row.troubled else ""


def _topologies(report: ClusterReport) -> list[str]:
    found = report.topologies
    if len(found) < 2:
        return []
    text = ["  unlike topologies: a node number means another node here and there"]
    text += [f"    {shape}: {_named(hosts)}" for shape, hosts in found.items()]
    more = len(text) - _LINES_OF_TROUBLE
    return text[:_LINES_OF_TROUBLE] + [f"    ... and {more} more"] * (more > 0)


def _named(hosts: list[str]) -> str:
    more = len(hosts) - _HOSTS_NAMED
    return ", ".join(hosts[:_HOSTS_NAMED]) + f" and {more} more" * (more > 0)
