"""An operation on all processes of a job: in parallel, until nobody new appears."""

from __future__ import annotations

import queue
import time
from concurrent.futures import ThreadPoolExecutor

from pymigrate._checks import check_count
from pymigrate.errors import InvalidArgument, KernelError, NoSuchProcess, NoUserMemory
from pymigrate.jobs.job_report import JobProgress, JobReport, joined
from pymigrate.jobs.member import Member, identify, resident_pages
from pymigrate.operations.control import Controlled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pymigrate.jobs.members import Rule
    from pymigrate.operations.operation import Operation
    from pymigrate.operations.pace import Pace
    from pymigrate.operations.report import Progress, Report

    Make = Callable[[int], Operation]

__all__ = ["JobOperation"]

# How often new processes are looked for. A job that still has new ones then forks faster than it
# can be followed.
_ROUNDS = 20


class JobOperation(Controlled):
    """Does the same to all processes of a job, some at a time; one that fails stops no other.

    ``run()`` it or iterate over it, once. ``cancel()``, ``pause()`` and ``resume()`` hold for all.
    After each round it looks for new members, until there are none.

    Args:
        action: What is done, in one word.
        members: Tells who belongs to the job at the moment.
        missing: Why some cannot be members, by pid: they are among the failures.
        make: Makes the operation on one process.
        make_shared: Makes a second one for the pages that it shares with others, which is done for
            one process after the other, so that each of these pages moves and counts once. None if
            those need not, or cannot, be dealt with.
        pace: Of the whole.
        workers: Processes at the same time.
    """

    def __init__(
        self,
        action: str,
        members: Rule,
        missing: Mapping[int, KernelError],
        make: Make,
        make_shared: Make | None,
        pace: Pace,
        workers: int,
    ) -> None:
        check_count("workers", workers, 1, 256)
        self._members = members
        self._make = make
        self._make_shared = make_shared
        super().__init__(pace)
        self._workers = workers
        self._action = action
        self._start_time: float | None = None
        self._settled = False
        self._seen: set[Member] = set()
        self._reports: dict[Member, Report] = {}
        self._failures = dict(missing)
        self._not_begun: list[int] = []
        self._progress: dict[Member, Progress] = {}
        self._finished = 0
        self._report: JobReport | None = None

    @property
    def report(self) -> JobReport:
        """The report, once the operation has ended in whatever way.

        Raises:
            InvalidArgument: It has not ended yet.
        """
        if self._report is None:
            raise InvalidArgument("there is no report before the operation has run")
        return self._report

    # -- running

    def run(self, progress: Callable[[JobProgress], object] | None = None) -> JobReport:
        """Does it all and returns the report. What happens to single processes is in it.

        Args:
            progress: Called after each step.

        Raises:
            InvalidArgument: It has run already.
            KernelError: Who belongs to the job is not to be found out.
        """
        for step in self:
            if progress:
                progress(step)
        return self.report

    def __iter__(self) -> Iterator[JobProgress]:
        if self._start_time is not None:
            raise InvalidArgument("an operation runs once; make another one")
        self._start_time = time.monotonic()
        finished = False
        try:
            yield from self._rounds()
            finished = True
        finally:
            if not finished:
                self._pace.cancel()
            self._report = self._conclude()

    def _rounds(self) -> Iterator[JobProgress]:
        for _ in range(_ROUNDS):
            newcomers = self._newcomers()
            if not newcomers:
                self._settled = True
                return
            yield from self._go_through(newcomers, self._make, self._workers)
            if self._make_shared:
                sharing = [member for member in newcomers if self._shares(member)]
                yield from self._go_through(sharing, self._make_shared, 1)
            if self._pace.cancelled:
                return

    def _newcomers(self) -> list[Member]:
        """Members that were not seen yet, the biggest first."""
        found: dict[Member, int] = {}
        for pid in self._members():
            member = identify(pid)
            if member and member not in self._seen:
                self._seen.add(member)
                found[member] = resident_pages(pid)
        return sorted(found, key=found.__getitem__, reverse=True)

    def _shares(self, member: Member) -> bool:
        report = self._reports.get(member)
        return report is not None and bool(report.total.left.get("shared"))

    def _go_through(self, members: list[Member], make: Make, workers: int) -> Iterator[JobProgress]:
        """Processes of one round, in threads; yields after each step, in that of the caller."""
        news: queue.SimpleQueue[str] = queue.SimpleQueue()

        def deal_with(member: Member) -> None:
            try:
                for progress in self._one(member, make):
                    self._progress[member] = progress
                    news.put("step")
            finally:
                news.put("end")

        with ThreadPoolExecutor(min(workers, max(1, len(members))), "pymigrate-job") as crew:
            tasks = [crew.submit(deal_with, member) for member in members]
            running = len(members)
            try:
                while running:
                    if news.get() == "end":
                        running -= 1
                        self._finished += make is self._make
                    yield self._how_far()
            finally:
                if running:  # the caller does not go on
                    self._pace.cancel()
        for task in tasks:
            task.result()  # raises what is no answer of the kernel's

    def _one(self, member: Member, make: Make) -> Iterator[Progress]:
        """One process; what it answers is kept, and no fault of the others."""
        if self._pace.cancelled:
            if member not in self._reports:
                self._not_begun.append(member.pid)
            return
        try:
            operation = make(member.pid)
            if operation.start_time != member.start_time:
                return  # it has ended, and its pid is a stranger's now
            operation.join(self._pace)
            yield from operation
        except (NoUserMemory, NoSuchProcess):
            pass  # it has ended, or is a zombie or a kernel thread of the cgroup
        except KernelError as error:
            self._failures[member.pid] = error
        else:
            earlier = self._reports.get(member)
            report = operation.report
            self._reports[member] = joined(earlier, report) if earlier else report

    # -- telling

    def _how_far(self) -> JobProgress:
        parts = list(self._progress.values())
        done, total = sum(p.done for p in parts), sum(p.total for p in parts)
        elapsed = self._elapsed()
        rate = done / elapsed if elapsed else 0.0
        left = (total - done) / rate if rate else None
        return JobProgress(done, total, rate, left, len(self._seen), self._finished)

    def _elapsed(self) -> float:
        return time.monotonic() - (self._start_time or 0.0)

    def _conclude(self) -> JobReport:
        # A pid means the process that had it last; who had it before is told apart.
        last = {member.pid: member for member in self._reports}
        earlier = (part for member, part in self._reports.items() if last[member.pid] != member)
        return JobReport(
            action=self._action,
            outcome="cancelled" if self._pace.cancelled else "done",
            settled=self._settled,
            elapsed=self._elapsed(),
            reports={pid: self._reports[member] for pid, member in last.items()},
            failures=self._failures,
            not_begun=tuple(self._not_begun),
            earlier=tuple(earlier),
        )
