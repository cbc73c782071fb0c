"""One host of a job that spans hosts, in a few numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from pymigrate.errors import InvalidArgument
from pymigrate.launchers.amounts import Amounts
from pymigrate.launchers.outcomes import DONE, FAILED, STATUSES, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["HostRow"]

_LONGEST_FINDING = 500


@dataclass(frozen=True)
class HostRow:
    """What became of a job on one host.

    Its size does not depend on how many processes there are: reasons and nodes are few, and texts
    are cut.

    Attributes:
        host: Its name, as the engine knows it.
        outcome: One of ``outcomes.STATUSES``.
        amounts: What became of the memory, in pages of this host and in bytes.
        appeared: Bytes that were on the source nodes at the end without having been asked for.
        nodes: Bytes that the processes have, by node, as they were found last. What several map is
            counted with each of them.
        processes: Those that were dealt with, or could not be.
        troubled: Those of them with another outcome than ``"done"``.
        elapsed: Seconds.
        topology: The fingerprint of its nodes (``shape.fingerprint()``): the same number means the
            same node on hosts where this is equal. Empty where it is not known.
        error: The type of the error, where the host as a whole failed.
        finding: What is wrong, and what would help; empty where nothing is.
    """

    host: str
    outcome: str = DONE
    amounts: Amounts = field(default_factory=Amounts)
    appeared: int = 0
    nodes: Mapping[int, int] = field(default_factory=dict)
    processes: int = 0
    troubled: int = 0
    elapsed: float = 0.0
    topology: str = ""
    error: str = ""
    finding: str = ""

    def __post_init__(self) -> None:
        if self.outcome not in STATUSES:
            raise InvalidArgument(f"outcome {self.outcome!r}: one of {', '.join(STATUSES)}")
        object.__setattr__(self, "nodes", dict(sorted(self.nodes.items())))
        object.__setattr__(self, "finding", self.finding[:_LONGEST_FINDING])

    @classmethod
    def failed(cls, host: str, error: Exception, outcome: str = FAILED) -> HostRow:
        """A host on which nothing could be done, and why."""
        name = type(error).__name__
        return cls(host, outcome, error=name, finding=str(error) or name)

    @property
    def status(self) -> int:
        """The exit status that it stands for."""
        return STATUSES[self.outcome]

    def __add__(self, other: HostRow) -> HostRow:
        """Two parts of the work on one host. Associative, and the order makes no difference."""
        # The text that comes first, so that the order makes no difference; one that says something.
        error, finding = min(
            ((row.error, row.finding) for row in (self, other) if row.error or row.finding),
            default=("", ""),
        )
        nodes = dict(self.nodes)
        for node, size in other.nodes.items():
            nodes[node] = nodes.get(node, 0) + size
        return HostRow(
            host=self.host,
            outcome=worst(self.outcome, other.outcome),
            amounts=self.amounts + other.amounts,
            appeared=self.appeared + other.appeared,
            nodes=nodes,
            processes=self.processes + other.processes,
            troubled=self.troubled + other.troubled,
            elapsed=max(self.elapsed, other.elapsed),
            topology=max(self.topology, other.topology),
            error=error,
            finding=finding,
        )

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes; nodes become text."""
        nodes = {str(node): size for node, size in self.nodes.items()}
        amounts = self.amounts.to_dict()
        return {**asdict(self), "nodes": nodes, "amounts": amounts, "exit_status": self.status}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HostRow:
        """What ``to_dict()`` made."""
        nodes = {int(node): size for node, size in values["nodes"].items()}
        amounts = Amounts.from_dict(values["amounts"])
        rest = {name: value for name, value in values.items() if name != "exit_status"}
        return cls(**{**rest, "nodes": nodes, "amounts": amounts})
