"""The tables of a job on many hosts: a row for each host, and for each process that has one."""

from __future__ import annotations

from pymigrate.cli.tables import new_table, print_out
from pymigrate.launchers.cluster_text import told
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.host_row import HostRow
    from pymigrate.launchers.rank_row import RankRow

__all__ = ["print_hosts"]

_LEFT = ("host", "step", "memory", "outcome")
_MANY = 64  # processes; of more than these only those in trouble are shown


def print_hosts(report: ClusterReport) -> None:
    """Both tables, in the order of hosts and ranks."""
    moving = not report.only_looked
    done = ["evicted" if report.action == "evict" else "moved", "left behind"] * moving
    last = *done, "memory", "outcome"
    hosts = new_table("hosts", "host", "processes", *last, left=_LEFT)
    for row in report.hosts:
        hosts.add_row(*_host(row, moving), told(report, row.outcome))
    print_out(hosts)
    rows = [row for row in report.ranks if len(report.ranks) <= _MANY or row.in_trouble]
    if rows:
        steps = ["step"] * (len({row.step for row in rows}) > 1)
        ranks = new_table("processes", "host", *steps, "rank", "pid", *last, left=_LEFT)
        for rank in rows[:_MANY]:
            host, *rest = _rank(rank, moving)
            ranks.add_row(host, *[rank.step] * len(steps), *rest, told(report, rank.outcome))
        print_out(ranks)


def _host(row: HostRow, moving: bool) -> list[str]:
    sizes = row.amounts.bytes
    amounts = [_amount(sizes.moved), _amount(sizes.left_behind)] * moving
    return [row.host, str(row.processes), *amounts, _nodes(row.nodes)]


def _rank(row: RankRow, moving: bool) -> list[str]:
    left = row.left or {}
    behind = f"{_amount(sum(left.values()))} {', '.join(left)}".strip()
    amounts = [_amount(row.moved), behind] * moving
    rank = "-" if row.rank is None else str(row.rank)
    return [row.host, rank, str(row.pid), *amounts, _nodes(row.nodes or {})]


def _nodes(nodes: Mapping[int, int]) -> str:
    """``0: 1.5 GiB, 2: 20.0 MiB``: what is where."""
    return ", ".join(f"{node}: {format_bytes(size)}" for node, size in nodes.items())


def _amount(size: int) -> str:
    return format_bytes(size) if size else "-"
