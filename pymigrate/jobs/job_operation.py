"""An operation on all processes of a job: in parallel, until nobody new appears."""

from __future__ import annotations

import queue
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain

from pymigrate._checks import check_count
from pymigrate.errors import InvalidArgument, KernelError, NoSuchProcess, NoUserMemory
from pymigrate.jobs.job_progress import HowFar
from pymigrate.jobs.job_report import JobReport, joined
from pymigrate.jobs.member import Member, identify, resident_pages
from pymigrate.operations.control import Controlled
from pymigrate.operations.threads import in_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from pymigrate.jobs.job_needs import JobNeeds
    from pymigrate.jobs.job_report import JobProgress
    from pymigrate.jobs.members import Rule
    from pymigrate.operations.ledger import Counts
    from pymigrate.operations.operation import Operation
    from pymigrate.operations.pace import Pace
    from pymigrate.operations.report import Report

    Make = Callable[[int], Operation]

__all__ = ["JobOperation"]

# What the pass over shared pages is for. The single call sees pages that are hidden from the first.
_LATER = frozenset(("shared", "hidden"))

# How often new processes are looked for. A job that still has new ones then forks faster than it
# can be followed.
_ROUNDS = 20


class JobOperation(Controlled):
    """Does the same to all processes of a job, some at a time; one that fails stops no other.

    ``run()`` it or iterate over it, once. ``cancel()``, ``pause()`` and ``resume()`` hold for all.
    After each round it looks for new members, until there are none. What is no ``KernelError``,
    as of a function that the caller has given, is raised when all others have been dealt with.

    Args:
        action: What is done, in one word.
        members: Tells who belongs to the job at the moment.
        missing: Why some cannot be members, by pid: they are among the failures.
        make: Makes the operation on one process.
        make_shared: Makes a second one for the pages that it shares with others, which is done for
            one process after the other, so that each of these pages moves and counts once. None if
            those need not, or cannot, be dealt with.
        needs: What the members need together, and what is refused for that.
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
        needs: JobNeeds,
        pace: Pace,
        workers: int,
    ) -> None:
        check_count("workers", workers, 1, 256)
        self._members = members
        self._make = make
        self._make_shared = make_shared
        self._needs = needs
        super().__init__(pace)
        self._workers = workers
        self._action = action
        self._how_far: HowFar | None = None
        self._settled = False
        self._seen: set[Member] = set()
        self._reports: dict[Member, Report] = {}
        self._failures = dict(missing)
        self._answered: set[Member] = set()  # failed, or ended: nothing has to be told of them
        self._errors: list[Exception] = []
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
            NoSwap: There is less swap than the processes need together; nothing was evicted.
            KernelError: Who belongs to the job is not to be found out.
            Exception: The first that was raised for a process and is no ``KernelError``, such as by
                a function for ``moves``; all others have been dealt with.
        """
        with closing(self._run(watched=progress is not None)) as steps:
            for step in steps:
                if progress:
                    progress(step)
        return self.report

    def __iter__(self) -> Iterator[JobProgress]:
        return self._run(watched=True)

    def _run(self, *, watched: bool) -> Generator[JobProgress, None, None]:
        if self._how_far is not None:
            raise InvalidArgument("an operation runs once; make another one")
        self._how_far = HowFar(shared_later=self._make_shared is not None)
        rounds = self._rounds(watched=watched)
        first = next(rounds, [])
        self._needs.refuse()
        finished = False
        try:
            for newcomers in chain([first], rounds):
                yield from self._deal_with(newcomers, self._how_far)
                if self._pace.cancelled:
                    break
            finished = True
            if self._errors:
                raise self._errors[0]
        finally:
            if not finished:
                self._pace.cancel()
            self._report = self._conclude(self._how_far.elapsed)

    def _rounds(self, *, watched: bool) -> Iterator[list[Member]]:
        """Members that were not there the time before, until there are none."""
        for _ in range(_ROUNDS):
            newcomers = self._newcomers()
            if not newcomers:
                self._settled = True
                return
            if watched or self._needs.decisive:
                self._needs.look(member.pid for member in newcomers)
            yield newcomers

    def _deal_with(self, newcomers: list[Member], how_far: HowFar) -> Iterator[JobProgress]:
        """One round, in two passes: pages that are shared come last."""
        yield from self._go_through(newcomers, how_far, self._workers)
        if self._make_shared:
            sharing = [member for member in newcomers if self._shares(member)]
            for member in sharing:
                how_far.begin_again(member, self._reports[member].total)
            yield from self._go_through(sharing, how_far, 1, again=True)

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
        """Whether the second pass may do more: it alone may make the single call, too."""
        report = self._reports.get(member)
        refused = member.pid in self._failures
        return report is not None and not refused and not _LATER.isdisjoint(report.total.left)

    def _go_through(
        self, members: list[Member], how_far: HowFar, workers: int, *, again: bool = False
    ) -> Iterator[JobProgress]:
        """Processes of one pass, in threads; yields after each step, in that of the caller."""
        todo: queue.SimpleQueue[Member] = queue.SimpleQueue()
        for member in members:
            todo.put(member)

        def deal_with_some() -> Iterator[bool]:
            while True:
                try:
                    member = todo.get_nowait()
                except queue.Empty:
                    return
                for counts in self._one(member, again):
                    how_far.note(member, counts, again=again)
                    yield False
                yield not again  # it is done with

        workers = min(workers, len(members))
        for finished in in_threads(deal_with_some, workers, self._pace.cancel, "pymigrate-job"):
            self._finished += finished
            yield how_far.progress(self._needs.pages, len(self._seen), self._finished)

    def _one(self, member: Member, again: bool) -> Iterator[Counts]:
        """One process; what it answers is kept, and no fault of the others."""
        if self._pace.cancelled:
            return
        make = self._make_shared if again and self._make_shared else self._make
        try:
            yield from self._begin(member, make)
        except (NoUserMemory, NoSuchProcess):
            self._note_end(member)  # or it is a zombie or a kernel thread of the cgroup
        except KernelError as error:
            self._answered.add(member)
            self._failures[member.pid] = error
        except Exception as error:  # of the caller's function, or a fault of this package
            self._errors.append(error)

    def _begin(self, member: Member, make: Make) -> Iterator[Counts]:
        operation = make(member.pid)
        if operation.start_time != member.start_time:
            self._note_end(member)  # its pid is a stranger's now
            return
        operation.join(self._pace)
        yield from self._steps(member, operation)

    def _steps(self, member: Member, operation: Operation) -> Iterator[Counts]:
        """Its operation, whose report is kept also where it is refused midway."""
        try:
            for _ in operation:
                yield operation.counts
        finally:
            with suppress(InvalidArgument):  # it was refused before anything was done
                report = operation.report
                earlier = self._reports.get(member)
                self._reports[member] = joined(earlier, report) if earlier else report
        yield report.total

    def _note_end(self, member: Member) -> None:
        """What it left behind in the pass before it has no more."""
        self._answered.add(member)
        report = self._reports.get(member)
        if report:
            self._reports[member] = replace(report, outcome="ended", after=None, appeared=0)

    # -- telling

    def _conclude(self, elapsed: float) -> JobReport:
        # A pid means the process that had it last; who had it before is told apart.
        last = {member.pid: member for member in self._reports}
        earlier = (part for member, part in self._reports.items() if last[member.pid] != member)
        not_begun = self._seen - self._answered - self._reports.keys()
        return JobReport(
            action=self._action,
            outcome="cancelled" if self._pace.cancelled else "done",
            settled=self._settled,
            elapsed=elapsed,
            reports={pid: self._reports[member] for pid, member in last.items()},
            failures=self._failures,
            not_begun=tuple(sorted(member.pid for member in not_begun)),
            earlier=tuple(earlier),
        )
