"""The report of a job that spans hosts: what the hosts answered, as one value that can be added."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from heapq import nsmallest

from pymigrate.errors import InvalidArgument, InvalidType, quote
from pymigrate.launchers.amounts import Amounts
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.natural import natural
from pymigrate.launchers.outcomes import DONE, STATUSES, worst
from pymigrate.launchers.rank_row import RankRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["RANKS_KEPT", "ClusterReport"]

FORMAT = 1
"""Of the JSON; another number is of another release, and is refused."""

RANKS_KEPT = 4096
"""Rows of processes in a report, of however many hosts: those in trouble come before others."""

_MIXED = "mixed"


@dataclass(frozen=True)
class ClusterReport:
    """What was done to a job on its hosts.

    Reports add up: ``a + b`` is associative, the order of hosts makes no difference, and
    ``ClusterReport()`` changes nothing. So they can be gathered in any tree, such as that of an MPI
    reduction. ``merged()`` adds many at once. Adding a report to itself counts its work twice.

    A report grows with its hosts, by one row of bounded size for each, and not with their
    processes: of these ``RANKS_KEPT`` rows are kept, and all are counted.

    Attributes:
        action: One of ``wish.ACTIONS``; ``"mixed"`` of several; empty of none.
        hosts: A row for each host, in natural order (h2 before h10).
        ranks: Rows of processes, those in trouble first if not all could be kept; by host and rank.
        elapsed: Seconds, of the slowest part.
    """

    action: str = ""
    hosts: tuple[HostRow, ...] = ()
    ranks: tuple[RankRow, ...] = ()
    elapsed: float = 0.0

    @classmethod
    def merged(cls, reports: Iterable[ClusterReport]) -> ClusterReport:
        """The sum of reports, taken one by one: no more of them than one is held.

        Raises:
            InvalidType: Something among them is no report.
        """
        hosts: dict[str, HostRow] = {}
        ranks: list[RankRow] = []
        action, elapsed = "", 0.0
        for report in reports:
            if not isinstance(report, ClusterReport):
                raise InvalidType(f"{quote(report)} is no ClusterReport")
            action = _one_action(action, report.action)
            elapsed = max(elapsed, report.elapsed)
            for row in report.hosts:
                hosts[row.host] = hosts[row.host] + row if row.host in hosts else row
            ranks += report.ranks
            if len(ranks) > 2 * RANKS_KEPT:
                ranks = _foremost(ranks, RANKS_KEPT)
        return cls(
            action=action,
            hosts=tuple(hosts[name] for name in sorted(hosts, key=natural)),
            ranks=_in_order(_foremost(ranks, RANKS_KEPT)),
            elapsed=elapsed,
        )

    def __add__(self, other: ClusterReport) -> ClusterReport:
        if not isinstance(other, ClusterReport):
            return NotImplemented
        return self.merged([self, other])

    def with_ranks(self, limit: int) -> ClusterReport:
        """The same with so many rows of processes at the most, those in trouble before others."""
        return replace(self, ranks=_in_order(_foremost(self.ranks, limit)))

    def with_steps(self, steps: Mapping[int, str]) -> ClusterReport:
        """The same of one host, with the steps of its processes, by pid."""
        named = [replace(row, step=steps.get(row.pid, "")) for row in self.ranks]
        return replace(self, ranks=_in_order(named))

    # -- sums

    @property
    def total(self) -> Amounts:
        """The memory of all hosts."""
        total = Amounts()
        for row in self.hosts:
            total = total + row.amounts
        return total

    @property
    def appeared(self) -> int:
        """Bytes that were on the source nodes at the end without having been asked for."""
        return sum(row.appeared for row in self.hosts)

    @property
    def processes(self) -> int:
        """Processes on all hosts."""
        return sum(row.processes for row in self.hosts)

    @property
    def ranks_omitted(self) -> int:
        """Processes that are counted and have no row."""
        return self.processes - len(self.ranks)

    @property
    def outcome(self) -> str:
        """The worst of all hosts."""
        outcome = DONE
        for row in self.hosts:
            outcome = worst(outcome, row.outcome)
        return outcome

    @property
    def status(self) -> int:
        """The exit status that it stands for."""
        return STATUSES[self.outcome]

    @property
    def only_looked(self) -> bool:
        """Whether memory was looked at, and none was to move."""
        return self.action == "show" or self.checked

    @property
    def checked(self) -> bool:
        """Whether it was asked what would be refused."""
        return self.action in ("check", "check-eviction")

    @property
    def complete(self) -> bool:
        """Whether on every host everything is where it should be."""
        return self.outcome == DONE

    @property
    def topologies(self) -> dict[str, list[str]]:
        """Hosts by the fingerprint of their nodes. Several: node numbers differ in meaning."""
        found: dict[str, list[str]] = {}
        for row in self.hosts:
            if row.topology:
                found.setdefault(row.topology, []).append(row.host)
        return found

    # -- telling

    def to_dict(self) -> dict[str, Any]:
        """The report for programs: JSON types only."""
        return {
            "format": FORMAT,
            "action": self.action,
            "outcome": self.outcome,
            "exit_status": self.status,
            "complete": self.complete,
            "elapsed_seconds": self.elapsed,
            "total": self.total.to_dict(),
            "appeared_bytes": self.appeared,
            "processes": self.processes,
            "ranks_omitted": self.ranks_omitted,
            "topologies": self.topologies,
            "hosts": [row.to_dict() for row in self.hosts],
            "ranks": [row.to_dict() for row in self.ranks],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClusterReport:
        """What ``to_dict()`` made; sums are worked out anew.

        Raises:
            InvalidArgument: It is something else, or of another release.
        """
        try:
            if values["format"] != FORMAT:
                raise InvalidArgument(
                    f"the report has the format {values['format']!r}, not {FORMAT}: "
                    "install the same release of pymigrate on all hosts"
                )
            return cls(
                action=values["action"],
                hosts=tuple(map(HostRow.from_dict, values["hosts"])),
                ranks=tuple(map(RankRow.from_dict, values["ranks"])),
                elapsed=float(values["elapsed_seconds"]),
            )
        except InvalidArgument:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidArgument(f"that is no report of a cluster: {error!r}") from None

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ClusterReport:
        """What ``to_json()`` made; raises as ``from_dict()``."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InvalidArgument(f"that is no report of a cluster: {error}") from None
        return cls.from_dict(values)

    def __str__(self) -> str:
        """The report for people: the sums, and a line for each host that is in trouble."""
        from pymigrate.launchers.cluster_text import lines

        return "\n".join(lines(self))


def _one_action(one: str, other: str) -> str:
    if not (one and other):
        return one or other
    return one if one == other else _MIXED


def _foremost(ranks: Iterable[RankRow], limit: int) -> list[RankRow]:
    """Those in trouble, then the first of the others: a choice that adding cannot change."""
    return nsmallest(limit, ranks, key=lambda row: (not row.in_trouble, row.order()))


def _in_order(ranks: list[RankRow]) -> tuple[RankRow, ...]:
    return tuple(sorted(ranks, key=RankRow.order))
