"""``Followed``: what ``follow()`` has to tell, for people and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone

from pymigrate.nodemask import NodeMask
from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pymigrate.errors import NotPermitted
    from pymigrate.jobs.job_report import JobReport

__all__ = ["Followed"]


@dataclass(frozen=True)
class Followed:
    """One thing that happened while a job was followed.

    Attributes:
        time: Seconds since 1970.
        kind: ``"moved"``: memory was migrated. ``"there"``: processes have got another place, and
            their memory is there already, as after the migration that cgroup v2 does by itself.
            ``"refused"``: processes of the job cannot be followed; told once of each.
        places: The nodes where the memory of each process ought to be, by pid.
        report: Of the migration; None for ``"there"``.
        fighting: Processes whose memory had been brought home before and had not stayed there.
            They are looked at less and less often.
        balancing: Whether the kernel's own NUMA balancing is on, which may be what moves it away.
        refused: Why the caller may not look at processes, by pid.
    """

    time: float
    kind: str
    places: dict[int, NodeMask]
    report: JobReport | None = None
    fighting: tuple[int, ...] = ()
    balancing: bool = False
    refused: dict[int, NotPermitted] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {
            "time": self.time,
            "kind": self.kind,
            "places": {str(pid): str(nodes) for pid, nodes in self.places.items()},
            "report": self.report and self.report.to_dict(),
            "fighting": list(self.fighting),
            "balancing": self.balancing,
            "refused": [error.to_dict() for error in self.refused.values()],
        }

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        """One line for a log."""
        when = datetime.fromtimestamp(self.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{when} {self._who()}: {self._what()}"

    def _who(self) -> str:
        if self.refused:
            return ", ".join(f"pid {pid}" for pid in self.refused)
        nodes = NodeMask()
        for inside in self.places.values():
            nodes |= inside
        pids = list(self.places)
        who = f"pid {pids[0]}" if len(pids) == 1 else f"{len(pids)} processes"
        return f"{who} on {nodes}"

    def _what(self) -> str:
        if self.refused:
            causes = dict.fromkeys(error.cause for error in self.refused.values())
            return f"not followed: {'; '.join(causes)}"
        if self.report is None:
            return "memory is there already"
        total = self.report.total
        what = [f"moved {format_bytes(total.moved * PAGE_SIZE)} in {self.report.elapsed:.3f} s"]
        if total.left_behind:
            what.append(f"left {format_bytes(total.left_behind * PAGE_SIZE)}")
        what += [f"pid {pid}: {error.cause}" for pid, error in self.report.failures.items()]
        if self.fighting:
            pids = ", ".join(map(str, self.fighting))
            by = " (kernel.numa_balancing is on)" if self.balancing else ""
            what.append(f"memory of {pids} had not stayed{by}: looking less often")
        return "; ".join(what)
