"""``Operation``: one process, gone through from preflight to report. What is done is an action."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial

from pymigrate._checks import check_bounds, check_count
from pymigrate.errors import InvalidArgument, NoSuchProcess, NoUserMemory
from pymigrate.kernel._memory_files import MemoryFiles
from pymigrate.kernel.process import Process
from pymigrate.kernel.resident import residency
from pymigrate.operations.accounts import Accounts, lasting
from pymigrate.operations.control import Controlled
from pymigrate.operations.crew import go_through
from pymigrate.operations.pace import Pace
from pymigrate.operations.survey import Survey
from pymigrate.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pymigrate.kernel.resident import Residency
    from pymigrate.operations.action import Action, Step
    from pymigrate.operations.ledger import Counts
    from pymigrate.operations.report import Progress, Report
    from pymigrate.operations.routes import Routes
    from pymigrate.operations.stretch import Stretch

__all__ = ["RETRIES_MAX", "Operation"]

# Pages that are busy are tried again after these seconds: a page under I/O is free in milliseconds,
# one that is pinned stays so.
_BACKOFF = (0.01, 0.05, 0.25)
RETRIES_MAX = len(_BACKOFF)


class Operation(Controlled):
    """Does something to the memory of one process, watched, bounded and cancellable meanwhile.

    It is run once, by ``run()`` or by iterating over it. ``cancel()``, ``pause()`` and ``resume()``
    may be called from other threads and from signal handlers, and are answered within a step; a
    step is one call into C.

    What is done, and how it is refused, is for subclasses to say.
    """

    name = ""
    """What it does, in one word: the ``action`` of its report."""

    def __init__(
        self,
        pid: int,
        routes: Routes,
        *,
        rate: float | None,
        max_stall: float | None,
        overhead: Callable[[], float],
        workers: int,
        retries: int,
    ) -> None:
        check_bounds(rate, max_stall)
        check_count("workers", workers, 1, 256)
        check_count("retries", retries, 0, RETRIES_MAX)
        self._routes = routes
        self._workers = workers
        self._retries = retries
        super().__init__(Pace(rate, max_stall, overhead() if max_stall else 0.0))
        self._process = Process(pid)
        self._outcome = "done"
        self._started = False
        self._files: MemoryFiles | None = None  # kept for another look at the same memory
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        """The report, once the operation has ended in whatever way.

        Raises:
            InvalidArgument: It has not ended yet.
        """
        if self._report is None:
            raise InvalidArgument("there is no report before the operation has run")
        return self._report

    @property
    def start_time(self) -> int:
        """When its process was started, which tells it from any later one with the same pid."""
        return self._process.start_time

    @property
    def counts(self) -> Counts:
        """What has become of its pages so far, since the first step."""
        return self._accounts.ledger.total

    # -- running

    def run(self, progress: Callable[[Progress], object] | None = None) -> Report:
        """Does it all and returns the report.

        Args:
            progress: Called after each step.

        Raises:
            NoSuchProcess: It ended before anything was done; later that is an outcome.
            KernelError: What the class says is refused beforehand.
        """
        with closing(self._run(watched=progress is not None)) as steps:
            for step in steps:
                if progress:
                    progress(step)
        return self.report

    def __iter__(self) -> Iterator[Progress]:
        return self._run(watched=True)

    def look_again(self) -> Report:
        """Looks whether pages came back to the source nodes, and adds that to the report.

        Raises:
            NoSuchProcess: The process has ended meanwhile (reason ``"gone"``), or runs another
                program (``"replaced"``).
            NoUserMemory: It is a zombie.
        """
        report = self.report
        if report.after is not None and self._files is not None:
            back = residency(self._files.pid, files=self._files) - report.after
            bounced = sum(back.pages(node) for node in lasting(self._routes))
            self._report = replace(report, bounced=max(0, bounced))
        return self.report

    def _run(self, *, watched: bool) -> Generator[Progress, None, None]:
        if self._started:
            raise InvalidArgument("an operation runs once; make another one")
        self._started = True
        with self._process:
            self._prepare(Task.read(0), Task.read(self._process.pid))
            yield from self._run_prepared(watched=watched)

    def _run_prepared(self, *, watched: bool) -> Iterator[Progress]:
        files = self._files = MemoryFiles(self._process.pid)
        if not self._process.alive():  # what was opened may be of another one with its pid
            raise self._process.gone()
        with closing(self._make_action(self._process)) as action:
            survey = Survey(files, action, self._routes.sources)
            yield from self._account_for(files, action, survey, watched=watched)

    def _account_for(
        self, files: MemoryFiles, action: Action, survey: Survey, *, watched: bool
    ) -> Iterator[Progress]:
        """Looks, operates, looks again; whatever happens in between ends in the report."""
        bounded = self._pace.bounded or self._workers > 1
        at_once = self._can_do_at_once and not (watched or bounded or not self._routes.sources)
        stretches = None if at_once else survey.look()
        before = residency(files.pid, files=files) if at_once else survey.resident()
        self._accounts = Accounts(files, self._routes, before)
        self._inspect(before)
        try:
            yield from self._operate(action, survey, stretches)
        except BaseException:
            self._outcome = "cancelled"
            raise
        finally:
            self._conclude()

    def _conclude(self) -> None:
        try:
            self._report = self._accounts.close(self.name, self._outcome)
        except BaseException:  # another interrupt, or the look fails: what is known is told
            self._report = self._accounts.close(self.name, "cancelled", look=False)
            raise

    def _operate(
        self, action: Action, survey: Survey, stretches: list[Stretch] | None
    ) -> Iterator[Progress]:
        try:
            if stretches is None:
                self._do_at_once(survey)
            yield from self._walk(action, survey, stretches)
            if self._accounts.some_hidden and self._do_at_once(survey):
                yield from self._walk(action, survey)
        except (NoSuchProcess, NoUserMemory):
            self._outcome = "ended"
        if self._pace.cancelled and self._outcome == "done":
            self._outcome = "cancelled"

    def _going(self) -> bool:
        return self._outcome == "done" and not self._pace.cancelled

    def _walk(
        self, action: Action, survey: Survey, stretches: list[Stretch] | None = None
    ) -> Iterator[Progress]:
        """Goes through what is on the source nodes, and again for what was busy or came later.

        Args:
            action: What is done.
            survey: Finds what there is to do.
            stretches: What it has found just now, if it has looked.
        """
        for attempt in range(self._retries + 1):
            if not self._accounts.worth_trying(attempt):
                return
            if attempt and not self._pace.sleep(_BACKOFF[attempt - 1]):
                return
            action.begin_round(survey.kept())
            stretches = stretches or survey.look()
            if not stretches:
                return
            self._accounts.expect_changes()
            self._accounts.hidden = 0
            take = partial(self._take, survey, action.call)
            for _ in go_through(action, stretches, self._pace, self._workers, take):
                yield self._accounts.progress()
            stretches = None
            if not self._going() or (self._accounts.some_hidden and self._can_do_at_once):
                return

    def _take(self, survey: Survey, call: str, stretch: Stretch, step: Step) -> None:
        self._accounts.take(step, call)
        survey.keep(stretch, always=self._routes.overlap)
        if step.ended:
            self._outcome = "ended"

    # -- for subclasses

    def _prepare(self, caller: Task, target: Task) -> None:
        """Raises what can be refused before anything is done."""
        raise NotImplementedError

    def _inspect(self, before: Residency) -> None:
        """Raises what the residency at the beginning rules out."""

    def _make_action(self, process: Process) -> Action:
        """What is done to each stretch of memory."""
        raise NotImplementedError

    @property
    def _can_do_at_once(self) -> bool:
        """Whether there is a single system call that serves as well."""
        return False

    def _do_at_once(self, survey: Survey) -> bool:
        """Makes it, if there is one; returns whether it was made."""
        return False
