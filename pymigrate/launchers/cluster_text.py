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

__all__ = ["lines"]

_LINES_OF_TROUBLE = 20
_HOSTS_NAMED = 8
_MOVING = ("migrate", "evict", "mixed")


def lines(report: ClusterReport) -> list[str]:
    """The sums, then what is wrong where, at most some lines of each."""
    told = [_headline(report)]
    if report.action in _MOVING:
        told += _sums(report)
    told += _troubles(report)
    told += _topologies(report)
    if report.ranks_omitted:
        told.append(f"  {report.ranks_omitted} processes have no row of their own here")
    return told


def _headline(report: ClusterReport) -> str:
    hosts, processes = len(report.hosts), report.processes
    who = f"{hosts} host{'s' * (hosts != 1)}, {processes} process{'es' * (processes != 1)}"
    return f"{who}: {report.outcome} in {report.elapsed:.3f} s"


def _sums(report: ClusterReport) -> list[str]:
    pages, sizes = report.total.pages, report.total.bytes

    def line(name: str, column: str) -> str:
        return f"  {name:14} {_amount(getattr(pages, column), getattr(sizes, column))}"

    told = [line("asked for", "asked")]
    told.append(line("evicted" if report.action == "evict" else "moved", "moved"))
    told += [
        line(name, column)
        for name, column in (("already there", "already_there"), ("vanished", "vanished"))
        if getattr(pages, column)
    ]
    told.append(line("left behind", "left_behind"))
    told += _reasons(pages, sizes)
    if report.appeared:
        told.append(f"  appeared       {format_bytes(report.appeared)}: touched there meanwhile")
    return told


def _reasons(pages: Counts, sizes: Counts) -> Iterable[str]:
    for reason, count in pages.left.items():
        yield f"    {reason}: {_amount(count, sizes.left[reason])}"


def _amount(pages: int, size: int) -> str:
    return f"{pages} pages, {format_bytes(size)}"


def _troubles(report: ClusterReport) -> list[str]:
    """Hosts and processes that are not done, with what was found there."""
    troubled = [
        f"  {row.host}: {row.outcome}{_what(row)}" for row in report.hosts if row.outcome != DONE
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
    told = ["  unlike topologies: a node number means another node here and there"]
    told += [f"    {shape}: {_named(hosts)}" for shape, hosts in found.items()]
    more = len(told) - _LINES_OF_TROUBLE
    return told[:_LINES_OF_TROUBLE] + [f"    ... and {more} more"] * (more > 0)


def _named(hosts: list[str]) -> str:
    more = len(hosts) - _HOSTS_NAMED
    return ", ".join(hosts[:_HOSTS_NAMED]) + f" and {more} more" * (more > 0)
