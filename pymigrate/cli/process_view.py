"""What ``pymigrate show`` tells of one process, as a table or as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate import _files
from pymigrate.kernel.resident import Residency, residency
from pymigrate.kernel.vma import Vma, vmas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ProcessView"]


@dataclass(frozen=True)
class ProcessView:
    """One process.

    Attributes:
        pid: Its id.
        name: Its command, as in /proc/PID/status.
        residency: Its pages.
        vmas: Its mappings, where they were asked for.
    """

    pid: int
    name: str
    residency: Residency
    vmas: list[Vma] | None

    @classmethod
    def look(cls, pid: int, *, thp: bool, with_vmas: bool) -> ProcessView:
        """Looks at a process now; raises what ``residency()`` does."""
        return cls(
            pid=pid,
            name=_files.read_status(pid)["Name"],
            residency=residency(pid, thp=thp),
            vmas=list(vmas(pid)) if with_vmas else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        mappings = {} if self.vmas is None else {"vmas": [vma.to_dict() for vma in self.vmas]}
        return {"pid": self.pid, "name": self.name, **self.residency.to_dict(), **mappings}
