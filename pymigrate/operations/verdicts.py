"""What ``check()`` answers: a verdict on each thing that decides, and what would move."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["OK", "REFUSED", "SKIPPED", "WARNING", "PlannedMove", "Preflight", "Verdict"]

OK, WARNING, REFUSED, SKIPPED = "ok", "warning", "refused", "skipped"


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    Attributes:
        name: The check: ``alive``, ``sandbox``, ``source-nodes``, ``user-memory``, ``identity``,
            ``target-nodes``, ``target-cpuset``, ``caller-cpuset``, ``shared-pages``,
            ``free-memory``, ``balancing``, ``pinned``, ``device-memory``, ``policy``;
            ``memory-files`` where the last five could not be looked at; ``addresses`` where a
            32-bit caller cannot name those of the process. Of evictions: those of
            ``check_eviction()``. Of jobs: ``members``, ``free-memory``, ``swap``.
        state: ``"ok"``; ``"warning"``: it works, but not for all pages or not for long;
            ``"refused"``: nothing would move; ``"skipped"``: not looked at, as what was refused
            before says it all.
        finding: What was found.
        remedy: What would help; empty if nothing has to.
    """

    name: str
    state: str
    finding: str
    remedy: str = ""

    @property
    def told(self) -> str:
        """Its name, what was found, and what would help."""
        return f"{self.name}: {self.finding}{'; ' * bool(self.remedy)}{self.remedy}"

    def __str__(self) -> str:
        return f"{self.state:8} {self.told}"


@dataclass(frozen=True)
class PlannedMove:
    """What one node has now that would move to another.

    Attributes:
        source: The node that it is on.
        target: The node that it would go to.
        pages: Base pages, those that other processes map too among them.
    """

    source: int
    target: int
    pages: int

    @property
    def bytes(self) -> int:
        """The same in bytes."""
        return self.pages * PAGE_SIZE

    def to_dict(self) -> dict[str, int]:
        """What ``json.dumps`` takes."""
        return {**asdict(self), "bytes": self.bytes}

    def __str__(self) -> str:
        amount = f"{self.pages} pages, {format_bytes(self.bytes)}"
        return f"{self.source} -> {self.target}: {amount}"


@dataclass(frozen=True)
class Preflight:
    """All verdicts on one migration. True if nothing stands in its way for certain.

    Attributes:
        pid: The process.
        verdicts: One for each check.
        moves: What would move now, by node; empty if something is refused.
    """

    pid: int
    verdicts: tuple[Verdict, ...]
    moves: tuple[PlannedMove, ...] = ()

    def __bool__(self) -> bool:
        return all(verdict.state != REFUSED for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        verdicts = [asdict(verdict) for verdict in self.verdicts]
        moves = [move.to_dict() for move in self.moves]
        return {"pid": self.pid, "possible": bool(self), "verdicts": verdicts, "moves": moves}

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return "\n".join(map(str, self.verdicts))
