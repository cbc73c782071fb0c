"""One process of a job that spans hosts, in a few numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pymigrate.launchers.natural import natural
from pymigrate.launchers.outcomes import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["RankRow"]

_LONGEST_FINDING = 300


@dataclass(frozen=True)
class RankRow:
    """What became of one process. The full report of it stays on its host.

    Attributes:
        host: Where it runs.
        pid: Its id there.
        rank: Its number in the job; None for what the engine has not numbered, such as the batch
            script and children of tasks.
        outcome: One of ``outcomes.STATUSES``.
        moved: Bytes that moved or were evicted.
        left: Bytes that were left behind, by reason.
        nodes: Bytes that it has, by node, as they were found last.
        finding: What is wrong, and what would help; empty where nothing is.
        step: The step of the job that it is in, as the engine names it on that host (of Slurm
            ``1234.0``, ``1234.batch``); empty where there are no steps. Each has ranks of its own.
    """

    host: str
    pid: int
    rank: int | None = None
    outcome: str = DONE
    moved: int = 0
    left: Mapping[str, int] | None = None
    nodes: Mapping[int, int] | None = None
    finding: str = ""
    step: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", dict(sorted((self.left or {}).items())))
        object.__setattr__(self, "nodes", dict(sorted((self.nodes or {}).items())))
        object.__setattr__(self, "finding", self.finding[:_LONGEST_FINDING])

    @property
    def in_trouble(self) -> bool:
        """Whether there is something about it that somebody has to know."""
        return self.outcome != DONE

    def order(self) -> tuple[object, ...]:
        """What to sort by: host, step, rank, those without a rank last, then pid and the rest."""
        unnumbered = self.rank is None
        rest = (
            self.outcome,
            self.moved,
            (*(self.left or {}).items(),),
            (*(self.nodes or {}).items(),),
        )
        where = natural(self.host), unnumbered, natural(self.step), self.rank or 0, self.pid
        return *where, *rest, self.finding

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes; nodes become text."""
        nodes = {str(node): size for node, size in (self.nodes or {}).items()}
        return {**asdict(self), "nodes": nodes}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RankRow:
        """What ``to_dict()`` made."""
        nodes = {int(node): size for node, size in values["nodes"].items()}
        return cls(**{**values, "nodes": nodes})
