"""``Job``: the processes that are one thing to whoever runs them."""

from __future__ import annotations

from itertools import chain

from pymigrate._checks import check_bounds, check_count, check_flag, check_no_map
from pymigrate.errors import KernelError
from pymigrate.jobs.job_needs import RoomNeeds, SwapNeeds
from pymigrate.jobs.job_operation import JobOperation
from pymigrate.jobs.job_preflight import JobPreflight, looked_at
from pymigrate.jobs.members import (
    by_cgroup,
    by_group,
    by_pids,
    by_session,
    by_tree,
    nameless_in,
    only,
)
from pymigrate.kernel.resident import Residency, residency
from pymigrate.nodemask import NodeMask
from pymigrate.operations.eviction import Eviction
from pymigrate.operations.eviction_preflight import check_eviction
from pymigrate.operations.exits import Exits
from pymigrate.operations.migration import Migration
from pymigrate.operations.mover import call_overhead
from pymigrate.operations.operation import RETRIES_MAX
from pymigrate.operations.pace import Pace
from pymigrate.operations.preflight import check_member
from pymigrate.operations.routes import Routes
from pymigrate.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import psutil

    from pymigrate.jobs.members import Rule
    from pymigrate.nodemask import Nodes
    from pymigrate.operations.operation import Operation
    from pymigrate.operations.verdicts import Preflight

__all__ = ["Job"]


class Job:
    """Processes that belong together, found anew whenever they are asked for.

    Made by ``tree()``, ``session()``, ``group()``, ``cgroup()`` or ``of()``; ``|`` joins two, and
    ``only()`` chooses from one. A process that is found in two ways is one member, and threads are
    no members of their own. Trees, sessions and groups take psutil (the extra ``job``).
    """

    def __init__(self, rule: Rule, missing: Mapping[int, KernelError] | None = None) -> None:
        self._rule = rule
        self._missing = dict(missing or {})

    @classmethod
    def tree(cls, pid: int) -> Job:
        """A process and its descendants.

        Raises:
            NoSuchProcess: There is no such process.
        """
        return cls(by_tree(pid))

    @classmethod
    def session(cls, pid: int) -> Job:
        """The session of a process (setsid(2)); raises as ``tree()``."""
        return cls(by_session(pid))

    @classmethod
    def group(cls, pid: int) -> Job:
        """The process group of a process (setpgid(2)); raises as ``tree()``."""
        return cls(by_group(pid))

    @classmethod
    def cgroup(cls, folder: str) -> Job:
        """The processes of a cgroup, v1 or v2, and of those below it.

        Those of a pid namespace that is not within the caller's have no pid here: they are among
        the failures of what is done to the job, by the pid 0.

        Args:
            folder: Where it is in the file system, below /sys/fs/cgroup.

        Raises:
            InvalidArgument: There is no cgroup.
        """
        return cls(by_cgroup(folder), nameless_in(folder))

    @classmethod
    def of(cls, pids: Iterable[int]) -> Job:
        """These processes. One that is not there is among the failures of what is done to the job.

        Raises:
            InvalidArgument: One of them is no pid.
            NoSuchProcess, NoUserMemory: None of them is there and has memory.
        """
        return cls(*by_pids(pids))

    def only(self, choose: Callable[[psutil.Process], bool]) -> Job:
        """Those members that are chosen, by what psutil tells of each."""
        return Job(only(self._rule, choose), self._missing)

    def __or__(self, other: Job) -> Job:
        if not isinstance(other, Job):
            return NotImplemented
        return Job(lambda: chain(self._rule(), other._rule()), {**self._missing, **other._missing})

    def pids(self) -> list[int]:
        """The members of the moment, ascending."""
        return sorted(set(self._rule()))

    # -- looking

    def residency(self) -> dict[int, Residency]:
        """The residency of each member that has memory of its own and may be looked at, by pid.

        Memory that processes share is counted with each of them.
        """
        found = {}
        for pid in self.pids():
            try:
                found[pid] = residency(pid)
            except KernelError:
                continue
        return found

    def check(
        self,
        old: Nodes | None = None,
        new: Nodes | None = None,
        *,
        moves: Mapping[int, int] | Callable[[int], Mapping[int, int]] | None = None,
        shared: bool | None = None,
    ) -> JobPreflight:
        """Looks at everything that decides about a migration; arguments as for ``migration()``.

        Raises:
            InvalidArgument: An argument makes no sense.
            KernelError: Who belongs to the job is not to be found out.
        """
        check_flag("shared", shared, optional=True)
        old, new = _set("old", old), _set("new", new)
        routes = _routes(old, new, moves)

        def look(pid: int) -> Preflight:
            return check_member(pid, routes(pid), shared=shared)

        return looked_at(self.pids(), self._missing, look, RoomNeeds(routes))

    def check_eviction(self, old: Nodes, new: Nodes, *, without_swap: bool = False) -> JobPreflight:
        """The same for an eviction; raises likewise."""
        check_flag("without_swap", without_swap)
        exits = Exits(old, new)
        needs = SwapNeeds(exits, without_swap=without_swap)

        def look(pid: int) -> Preflight:
            return check_eviction(pid, exits.old, exits.new, without_swap=without_swap)

        return looked_at(self.pids(), self._missing, look, needs)

    # -- doing

    def migration(
        self,
        old: Nodes | None = None,
        new: Nodes | None = None,
        *,
        moves: Mapping[int, int] | Callable[[int], Mapping[int, int]] | None = None,
        shared: bool | None = None,
        rate: float | None = None,
        max_stall: float | None = None,
        workers: int = 2,
        retries: int = 3,
    ) -> JobOperation:
        """A migration of all members, not begun with yet.

        Args:
            old: As for ``Migration``, like the next three.
            new: Nodes to move pages to.
            moves: Instead of these: a map from source to target; or what tells the one of each
                process, by its pid, where they have to go to different nodes.
            shared: Whether pages that several processes map are moved. Those of the job move with
                one of them, and are counted with that one.
            rate: Bytes that may move in a second, for the job as a whole.
            max_stall: Seconds that one step may hold a process up.
            workers: Processes that are dealt with at the same time.
            retries: As for ``Migration``.

        Raises:
            InvalidArgument: An argument makes no sense, or they contradict each other.
        """
        # Refuses once, and not for each process.
        check_flag("shared", shared, optional=True)
        check_count("retries", retries, 0, RETRIES_MAX)
        old, new = _set("old", old), _set("new", new)
        needs = RoomNeeds(_routes(old, new, moves))

        def make(pid: int, shared: bool = False) -> Operation:
            own = _own(moves, pid)
            return Migration(pid, old, new, moves=own, shared=shared, retries=retries)

        if shared is None:
            shared = Task.read(0).may_move_anything()
        pace = _pace(rate, max_stall, call_overhead)
        make_shared = (lambda pid: make(pid, shared=True)) if shared else None
        who = self._rule, self._missing
        return JobOperation(Migration.name, *who, make, make_shared, needs, pace, workers)

    def eviction(
        self,
        old: Nodes,
        new: Nodes,
        *,
        without_swap: bool = False,
        rate: float | None = None,
        max_stall: float | None = None,
        workers: int = 2,
        retries: int = 3,
    ) -> JobOperation:
        """An eviction of all members, not begun with yet; arguments as for ``Eviction``.

        Raises:
            InvalidArgument: An argument makes no sense.
        """
        check_flag("without_swap", without_swap)
        check_count("retries", retries, 0, RETRIES_MAX)
        exits = Exits(old, new)
        needs = SwapNeeds(exits, without_swap=without_swap)

        def make(pid: int) -> Operation:
            return Eviction(pid, exits.old, exits.new, without_swap=without_swap, retries=retries)

        pace = _pace(rate, max_stall, lambda: 0.0)
        who = self._rule, self._missing
        return JobOperation(Eviction.name, *who, make, None, needs, pace, workers)


def _set(name: str, nodes: Nodes | None) -> NodeMask | None:
    """A set that can be asked for again, of each process; an iterator is empty the second time."""
    check_no_map(name, nodes)
    return None if nodes is None else NodeMask(nodes)


def _own(
    moves: Mapping[int, int] | Callable[[int], Mapping[int, int]] | None, pid: int
) -> Mapping[int, int] | None:
    return moves(pid) if callable(moves) else moves


def _routes(
    old: Nodes | None,
    new: Nodes | None,
    moves: Mapping[int, int] | Callable[[int], Mapping[int, int]] | None,
) -> Callable[[int], Routes]:
    """What tells the routes of each process; refuses what makes no sense for any."""
    if not callable(moves):
        routes = Routes.of(old, new, moves)
        return lambda pid: routes
    Routes.of(old, new, {0: 0})
    return lambda pid: Routes.of(None, None, moves(pid))


def _pace(rate: float | None, max_stall: float | None, overhead: Callable[[], float]) -> Pace:
    check_bounds(rate, max_stall)
    return Pace(rate, max_stall, overhead() if max_stall else 0.0)
