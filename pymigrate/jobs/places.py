"""Where the memory of a process ought to be: by its cpuset, its affinity, or where it ran."""

from __future__ import annotations

from pymigrate import _files
from pymigrate.errors import InvalidArgument, quote
from pymigrate.jobs.pairing import inward, reachable
from pymigrate.kernel.threads import RecentCpus, allowed_cpus
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pymigrate.kernel.nodes import Topology

    # CPUs, each thread's as a list in the kernel's grammar or one by one, and Mems_allowed.
    Facts = tuple[frozenset[str] | frozenset[int], str]

__all__ = ["BY", "Places"]

# In the order of the file.
_FIELDS = ("Threads", "Cpus_allowed_list", "Mems_allowed")

BY = ("affinity", "ran", "cpuset")
"""What decides: the CPUs that a process may use, those that it has used, or its cpuset alone."""


class Places:
    """The nodes for each process, on a machine as it is now.

    Args:
        topology: The machine.
        by: One of ``BY``.
        nodes: Instead: the same nodes for all, as of a device.

    Raises:
        InvalidArgument: ``by`` is something else.
    """

    def __init__(
        self, topology: Topology, by: str = "affinity", nodes: NodeMask | None = None
    ) -> None:
        if by not in BY:
            raise InvalidArgument(f"by {quote(by)}: one of {', '.join(BY)}")
        self._by = by
        self._nodes = nodes
        self._recent = RecentCpus()
        self.renew(topology)

    def renew(self, topology: Topology) -> None:
        """Looks at the machine anew: nodes and CPUs come and go."""
        self._memory = NodeMask(n.number for n in topology if n.memory_total)
        # Memory without CPUs was filled on purpose, or by the kernel (tiers): it is nobody's home,
        # and nobody is away from home there.
        self._homes = NodeMask(n.number for n in topology if n.memory_total and n.cpus)
        self._node_of_cpu = {cpu: n.number for n in topology for cpu in n.cpus}
        self._distances = {n.number: n.distances for n in topology}
        self._known: dict[Facts, NodeMask] = {}

    def of(self, pid: int) -> NodeMask:
        """The nodes where the memory of a process ought to be now.

        They are within its cpuset and have memory. If none of those that are wanted is so, it is
        the nearest to these that are; if some are, it is these alone.

        Raises:
            NoSuchProcess: It has ended.
            NotPermitted: /proc hides it.
        """
        threads, cpus, mems = _files.read_status_fields(pid, _FIELDS)
        facts: Facts = frozenset(), mems
        if self._nodes is None and self._by == "affinity":
            facts = frozenset(allowed_cpus(pid, threads, cpus)), mems
        elif self._nodes is None and self._by == "ran":
            facts = frozenset(self._recent.of(pid)), mems
        # Asked for again and again, of many processes that are alike.
        if facts not in self._known:
            self._known[facts] = self._work_out(*facts)
        return self._known[facts]

    def _work_out(self, cpus: frozenset[str] | frozenset[int], mems: str) -> NodeMask:
        allowed = NodeMask.from_hex(mems) & self._memory
        if self._nodes is None and self._by == "cpuset":
            return allowed
        wanted = self._nodes
        if wanted is None:
            nodes = self._node_of_cpu
            numbers = {cpu for some in cpus for cpu in NodeMask(some)}
            wanted = NodeMask({nodes[cpu] for cpu in numbers if cpu in nodes})
        return reachable(wanted, allowed, self._distances)

    def moves(self, pid: int, partners: Mapping[int, int] | None = None) -> dict[int, int]:
        """A map for a migration of a process: from where it ought not to have memory to where.

        Nodes that have nothing to lose are mapped to themselves, so the map is never empty.

        Args:
            pid: The process.
            partners: As for ``inward()``.
        """
        inside = self.of(pid)
        if not inside:
            return {node: node for node in self._memory}
        moves = inward(self.away(inside), inside, self._distances, partners)
        return moves or {node: node for node in inside}

    def away(self, inside: NodeMask) -> NodeMask:
        """The nodes from which memory has to be brought to some others."""
        strict = self._nodes is None and self._by == "cpuset"
        return (self._memory if strict else self._homes) - inside

    def keep(self, pids: Collection[int]) -> None:
        """Forgets what it remembers of other processes than these."""
        self._recent.keep(pids)
