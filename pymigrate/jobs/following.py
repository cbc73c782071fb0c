"""``follow()``: memory follows the processes of a job, for as long as there are any."""

from __future__ import annotations

import time

from pymigrate._checks import check_positive
from pymigrate.errors import (
    InvalidArgument,
    InvalidType,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    quote,
)
from pymigrate.jobs.bell import Bell
from pymigrate.jobs.followed import Followed
from pymigrate.jobs.homeward import as_job, places
from pymigrate.jobs.job import Job
from pymigrate.jobs.member import Member, identify, resident_pages, still_there
from pymigrate.jobs.watch import Habits, Watch
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.resident import residency
from pymigrate.kernel.sample import sample_residency
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobReport
    from pymigrate.nodemask import NodeMask

__all__ = ["Follower", "follow"]

# A look at all page tables holds a process up by some 10 ms for each GiB: what is larger is
# sampled when nothing has changed.
_LARGE_PAGES = (1 << 30) // PAGE_SIZE


class Follower:
    """Looks again and again where processes run, and brings memory there that is elsewhere.

    Iterate over it, once; each thing that happened yields a ``Followed``. It ends when the job has
    no process left, or after ``stop()``::

        for event in Follower(Job.cgroup("/sys/fs/cgroup/job")):
            print(event)

    A process is looked at with a few reads of /proc, each interval. Its memory is looked at when
    its place (the nodes of its CPUs, within its cpuset) has changed, again when that has settled,
    and every ``recheck`` seconds. What is away from home then is migrated, if it is more than
    ``threshold`` above what could not be moved the last time. Memory that the kernel brings along
    by itself, as cgroup v2 does, is found to be there. Where memory does not stay, each next try
    comes after twice the time.

    Args:
        job: Processes, or one by its pid.
        by: As for ``homing()``, like the next two. ``"ran"`` means since the last look.
        device: See there.
        shared: See there; None: pages that several processes map are moved where the caller may do
            that and all processes of the job have the same place, so that none takes them from
            another.
        interval: Seconds between two looks.
        settle: Seconds that a process has to stay in a place before its memory follows.
        recheck: Seconds between two looks at the memory of a process that stays where it is.
        threshold: Bytes away from home that are put up with.
        share: Of the time, that may be spent migrating: more than 0, up to 1.
        rate: Bytes that may move in a second.
        max_stall: Seconds that one step may hold a process up.
        workers: Processes that are dealt with at the same time.
        wait: Waits up to that many seconds and returns whether to stop, such as the ``wait`` of a
            ``threading.Event``; None: only ``stop()`` ends it.
        clock: Tells seconds that pass.

    Raises:
        InvalidArgument: An argument makes no sense.
        UnknownNode: The device is on no known node.
        NoSuchProcess: There is no process of that id.

    Iterating raises:

    Raises:
        NotPermitted: The caller may not look at any process of the job.
        KernelError: A process cannot be looked at for another reason, as where the caller can open
            no more files.
    """

    def __init__(
        self,
        job: Job | int,
        *,
        by: str = "affinity",
        device: str | None = None,
        shared: bool | None = None,
        interval: float = 5.0,
        settle: float = 5.0,
        recheck: float = 60.0,
        threshold: float = 1 << 20,
        share: float = 0.1,
        rate: float | None = None,
        max_stall: float | None = None,
        workers: int = 2,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        numbers = {"interval": interval, "settle": settle, "recheck": recheck, "share": share}
        for name, value in {**numbers, "threshold": threshold}.items():
            check_positive(name, value)
        for name, function in {"wait": wait, "clock": clock}.items():
            if function is not None and not callable(function):
                raise InvalidType(f"{name} {quote(function)}: give a function")
        if share > 1:
            raise InvalidArgument(f"share {quote(share)}: a part of the time, up to 1")
        self._job = as_job(job)
        self._places = places(by, device)
        self._habits = Habits(settle, recheck, int(threshold) // PAGE_SIZE)
        self._interval = interval
        self._share = share
        self._shared = shared
        self._rate, self._max_stall, self._workers = rate, max_stall, workers
        self._wait = wait
        self._clock = clock
        self._bell = Bell()
        self._watched: dict[Member, Watch] = {}
        self._operation: JobOperation | None = None
        self._stopped = False
        self._may_move = self._renew = clock()
        self._balancing = False
        self._make_migration([])  # refuses what makes no sense

    def stop(self) -> None:
        """Ends it, from any thread or signal handler; a migration is stopped after its step."""
        self._stopped = True
        operation = self._operation
        if operation:
            operation.cancel()
        self._bell.ring()

    def __iter__(self) -> Iterator[Followed]:
        while not self._stopped:
            members = self._members()
            if not members:
                return
            yield from self._look(members)
            if self._rest():
                return

    # -- looking

    def _members(self) -> dict[Member, Watch]:
        """Who is there now; what is known of those who are not is forgotten."""
        found = {}
        for pid in self._job.pids():
            member = identify(pid)
            if member:
                found[member] = self._watched.get(member) or Watch(self._habits)
        self._watched = found
        self._places.keep({member.pid for member in found})
        return found

    def _look(self, members: dict[Member, Watch]) -> Iterator[Followed]:
        now = self._clock()
        if now >= self._renew:
            self._renew = now + self._habits.recheck
            machine = topology()
            self._places.renew(machine)
            self._balancing = bool(machine.balancing)
        away: dict[Member, Watch] = {}
        arrived: dict[int, NodeMask] = {}
        refused: dict[Member, NotPermitted] = {}
        for member, watch in members.items():
            try:
                self._look_at(member, watch, now, away, arrived)
            except NotPermitted as error:
                refused[member] = error
            except (NoSuchProcess, NoUserMemory):
                continue  # it has ended
        if len(refused) == len(members):
            raise next(iter(refused.values()))  # there is nobody to follow
        news = {m.pid: error for m, error in refused.items() if not members[m].refused}
        if news:
            yield Followed(time.time(), "refused", {}, refused=news)
        for member in refused:
            members[member].refused = True
        if arrived:
            yield Followed(time.time(), "there", arrived)
        if away and not self._stopped:
            yield self._bring_home(away)

    def _look_at(
        self,
        member: Member,
        watch: Watch,
        now: float,
        away: dict[Member, Watch],
        arrived: dict[int, NodeMask],
    ) -> None:
        pid = member.pid
        if not watch.at(self._places.of(pid), now) or now < self._may_move:
            return
        news = watch.news and not watch.strange
        if watch.look(self._count_away(pid, watch), now):
            away[member] = watch
        elif news and not watch.news:
            arrived[pid] = watch.inside

    def _count_away(self, pid: int, watch: Watch) -> int:
        """Pages that are not where they ought to be; at least so many, where that is sampled."""
        nodes = self._places.away(watch.inside)
        if watch.news or resident_pages(pid) < _LARGE_PAGES:
            found = residency(pid)
            return sum(found.pages(node) for node in nodes)
        sampled = sample_residency(pid).nodes
        parts = [sampled[node] for node in nodes if node in sampled]
        return sum(max(0, part.pages - int(part.bound)) for part in parts)

    # -- moving

    def _bring_home(self, away: dict[Member, Watch]) -> Followed:
        self._operation = operation = self._make_migration(away)
        for _ in operation:
            if self._stopped or (self._wait and self._wait(0)):
                self.stop()
        self._operation = None
        report = operation.report
        now = self._clock()
        self._may_move = now + report.elapsed * (1 / self._share - 1)
        for member, watch in away.items():
            watch.moved(self._left(member.pid, watch, report), now)
        return Followed(
            time.time(),
            "moved",
            {member.pid: watch.inside for member, watch in away.items()},
            report,
            tuple(m.pid for m, watch in away.items() if watch.fights and m.pid in report.reports),
            self._balancing,
        )

    def _make_migration(self, members: Iterable[Member]) -> JobOperation:
        shared = self._shared
        if shared is None and len({watch.inside for watch in self._watched.values()}) > 1:
            shared = False
        return Job(lambda: still_there(members)).migration(
            moves=self._places.moves,
            shared=shared,
            rate=self._rate,
            max_stall=self._max_stall,
            workers=self._workers,
        )

    def _left(self, pid: int, watch: Watch, report: JobReport) -> int:
        """Pages that stayed away from home, as far as that is known."""
        own = report.reports.get(pid)
        if own is None or own.after is None:
            return 0
        return sum(own.after.pages(node) for node in self._places.away(watch.inside))

    def _rest(self) -> bool:
        return self._stopped or (self._wait or self._bell.wait)(self._interval)


def follow(
    job: Job | int,
    *,
    tell: Callable[[Followed], object] = lambda event: None,
    **wishes: Any,
) -> None:
    """Runs a ``Follower`` until the job has ended, or ``wait`` says so.

    Args:
        job: Processes, or one by its pid.
        tell: Called with each thing that happened.
        wishes: As for ``Follower``.
    """
    for event in Follower(job, **wishes):
        tell(event)
