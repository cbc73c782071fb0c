"""What the members of a job need together: room on the targets, or swap. Looked at beforehand."""

from __future__ import annotations

import errno

from pymigrate.errors import KernelError, NoSwap
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.proportion import proportional_residency
from pymigrate.kernel.swap import Swap, cgroup_room, limited_cgroups
from pymigrate.operations.preflight import needs_of, room_verdict
from pymigrate.operations.swap_need import need_of_swap
from pymigrate.operations.verdicts import OK, REFUSED, SKIPPED, WARNING, Verdict
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pymigrate.kernel.resident import Residency
    from pymigrate.operations.exits import Exits
    from pymigrate.operations.routes import Routes

__all__ = ["JobNeeds", "RoomNeeds", "SwapNeeds"]


class JobNeeds:
    """The sum over some processes, in which what they share counts once.

    Attributes:
        pages: Base pages that have to leave.
        decisive: Whether the operation is refused by it, so that it has to be looked at.
    """

    decisive = False

    def __init__(self) -> None:
        self.pages = 0

    def look(self, pids: Iterable[int]) -> None:
        """Adds what these processes have now. One that cannot be looked at is left out."""
        for pid in pids:
            try:
                self._add(pid, proportional_residency(pid))
            except KernelError:
                continue  # the operation on it says why

    def verdict(self) -> Verdict:
        """Whether there is what is needed."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Raises what makes no sense to begin with."""

    def _add(self, pid: int, resident: Residency) -> None:
        raise NotImplementedError


class RoomNeeds(JobNeeds):
    """Room on the targets of a migration.

    Args:
        routes: Tells which node's pages go where, by the pid.
    """

    def __init__(self, routes: Callable[[int], Routes]) -> None:
        super().__init__()
        self._routes = routes
        self._needs: dict[int, int] = {}
        self._leaving: dict[int, int] = {}

    def verdict(self) -> Verdict:
        """Full nodes leave pages behind: that is a warning."""
        if not self._needs.keys() <= {node.number for node in topology()}:
            return Verdict("free-memory", SKIPPED, "not looked at")
        return room_verdict(self._needs, self._leaving)

    def _add(self, pid: int, resident: Residency) -> None:
        try:
            routes = self._routes(pid)
        except Exception:  # of the caller's function: the operation raises it when all are done
            return
        for target, need in needs_of(resident, routes).items():
            self._needs[target] = self._needs.get(target, 0) + need
        for source in routes.moves:
            self._leaving[source] = self._leaving.get(source, 0) + resident.bytes(source)
            self.pages += resident.pages(source)


class SwapNeeds(JobNeeds):
    """Swap for an eviction: of the machine, and of each cgroup that limits it.

    Args:
        exits: Which nodes' pages leave.
        without_swap: What needs swap stays, so that none is needed.
    """

    def __init__(self, exits: Exits, *, without_swap: bool = False) -> None:
        super().__init__()
        self._exits = exits
        self._without_swap = without_swap
        self.decisive = not without_swap
        self._need = 0
        self._below: dict[str, int] = {}

    def verdict(self) -> Verdict:
        """Too little is a refusal."""
        if self._without_swap:
            finding = f"{format_bytes(self._need)} need swap and stay, as asked"
            return Verdict("swap", WARNING, finding)
        short = self._shortage()
        if short:
            return Verdict("swap", REFUSED, *short)
        swap = Swap.read(0)
        finding = f"{format_bytes(self._need)} have to go to swap, where {{}} of {{}} are free"
        amounts = format_bytes(swap.free), format_bytes(swap.total)
        return Verdict("swap", OK, finding.format(*amounts))

    def refuse(self) -> None:
        """Too little swap.

        Raises:
            NoSwap: There is less than the processes need together.
        """
        short = None if self._without_swap else self._shortage()
        if short:
            finding, remedy = short
            raise NoSwap(
                errno.ENOSPC,
                finding,
                pid=None,
                old=self._exits.old,
                new=self._exits.new,
                reason="no-swap",
                remedy=remedy,
            )

    def _add(self, pid: int, resident: Residency) -> None:
        # Pages that several of them map stay in memory, so nothing counts twice.
        need = need_of_swap(pid, self._exits)
        self._need += need
        for folder in limited_cgroups(pid):
            self._below[folder] = self._below.get(folder, 0) + need
        self.pages += sum(resident.pages(node) for node in self._exits.sources)

    def _shortage(self) -> tuple[str, str] | None:
        """What is missing, and what helps."""
        swap = Swap.read(0)
        told = "{} have to go to swap from {}, which has room for {}"
        if self._need > swap.free:
            who, need, room = "all processes together", self._need, swap.free
            remedy = "add swap, or evict what needs none"
            return told.format(format_bytes(need), who, format_bytes(room)), remedy
        for folder, need in self._below.items():
            limit = cgroup_room([folder])
            if limit is not None and need > limit:
                remedy = "raise its memory.swap.max, or evict what needs no swap"
                return told.format(format_bytes(need), folder, format_bytes(limit)), remedy
        return None
