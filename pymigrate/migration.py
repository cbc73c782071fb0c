"""``Migration``: the managed migration of one process, from preflight to report."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from pymigrate import _files
from pymigrate._checks import check_count, check_positive
from pymigrate._memory_files import MemoryFiles
from pymigrate.crew import go_through
from pymigrate.direct import migrate_directly
from pymigrate.errors import InvalidArgument, InvalidType, NoSuchProcess, NoUserMemory, quote
from pymigrate.ledger import Entry, Ledger
from pymigrate.mover import Mover
from pymigrate.obstacles import Facts, refuse
from pymigrate.pace import Pace
from pymigrate.process import Process
from pymigrate.report import Progress, Report
from pymigrate.resident import Residency, residency
from pymigrate.routes import Routes
from pymigrate.survey import Survey
from pymigrate.task import Task
from pymigrate.units import KINDS, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pymigrate.mover import Step, Stretch
    from pymigrate.nodemask import NodeMask, Nodes

__all__ = ["Migration"]

# Pages that are busy are tried again after these seconds: a page under I/O is free in milliseconds,
# one that is pinned stays so.
_BACKOFF = (0.01, 0.05, 0.25)


class Migration:
    """Moves the memory of one process, and can be watched, bounded, paused and cancelled meanwhile.

    ``run()`` does it all and returns the report. To watch, iterate: each step yields a
    ``Progress``, and afterwards ``report`` is there, also if the loop was left early::

        migration = Migration(pid, 0, 1, rate=1e9)
        for progress in migration:
            print(progress.done, progress.total)
        print(migration.report)

    A migration runs once. ``cancel()``, ``pause()`` and ``resume()`` may be called from other
    threads and from signal handlers, and are answered within a step; a step is one call into the
    kernel. Where nothing has to be watched or bounded (``run()`` without ``progress``, no ``rate``,
    no ``max_stall``, one worker, no overlap) that is a single migrate_pages(2), the fastest way.

    Args:
        pid: The process; 0 is the calling one.
        old: Nodes to move pages from.
        new: Nodes to move them to; the pairing is the kernel's, see ``plan()``.
        moves: Instead of ``old`` and ``new``: a map from source to target, ``{0: 2, 1: 3}``.
        shared: Whether pages that other processes map too are moved, which takes CAP_SYS_NICE.
            None: as the system call decides, which is to move them if the caller has that
            capability.
        rate: Bytes that may move in a second.
        max_stall: Seconds that one step may take, and so may hold up the target's own page faults
            and mappings; at least one page, or one huge page, is moved at a time.
        workers: Threads that move pages at the same time.
        retries: How often pages that are busy, and pages that appeared meanwhile, are tried again:
            0 up to 3 times, after 10, 50 and 250 ms.

    Raises:
        InvalidArgument: An argument makes no sense, or they contradict each other.
    """

    def __init__(
        self,
        pid: int,
        old: Nodes | None = None,
        new: Nodes | None = None,
        *,
        moves: Mapping[int, int] | None = None,
        shared: bool | None = None,
        rate: float | None = None,
        max_stall: float | None = None,
        workers: int = 1,
        retries: int = len(_BACKOFF),
    ) -> None:
        self._routes = Routes.of(old, new, moves)
        check_positive("rate", rate)
        check_positive("max_stall", max_stall)
        check_count("workers", workers, 1, 256)
        check_count("retries", retries, 0, len(_BACKOFF))
        if shared not in (None, True, False):
            raise InvalidType(f"shared {quote(shared)}: None, True or False")
        self._shared = shared
        self._bounded = bool(rate or max_stall or workers > 1)
        self._workers = workers
        self._retries = retries
        self._pace = Pace(rate, max_stall)
        self._process = Process(pid)
        self._ledger = Ledger()
        self._methods: dict[str, None] = {}
        self._outcome = "done"
        self._hidden = 0
        self._direct = False
        self._started = False
        self._before: Residency | None = None
        self._start_time = 0.0
        self._report: Report | None = None

    # -- control

    def cancel(self) -> None:
        """Stops after the step under way; what moved stays moved, and the report says how much."""
        self._pace.cancel()

    def pause(self) -> None:
        """Holds after the step under way, until ``resume()``."""
        self._pace.pause()

    def resume(self) -> None:
        """Goes on after ``pause()``."""
        self._pace.resume()

    @property
    def report(self) -> Report:
        """The report, once the operation has ended in whatever way.

        Raises:
            InvalidArgument: It has not ended yet.
        """
        if self._report is None:
            raise InvalidArgument("there is no report before the migration has run")
        return self._report

    # -- operation

    def run(self, progress: Callable[[Progress], object] | None = None) -> Report:
        """Migrates and returns the report.

        Args:
            progress: Called after each step.

        Raises:
            NoSuchProcess: It ended before anything was done; later that is an outcome.
            NotPermitted: The caller may not move this process, or not its shared pages.
            NodesRefused: The targets have no memory, or the cpuset of the process forbids them.
            NoUserMemory: It is a kernel thread or a zombie.
            Unsupported: The kernel has no such calls.
        """
        for step in self._run(watched=progress is not None):
            if progress:
                progress(step)
        return self.report

    def __iter__(self) -> Iterator[Progress]:
        return self._run(watched=True)

    def look_again(self) -> Report:
        """Looks whether pages came back to the source nodes, and adds that to the report.

        Raises:
            NoSuchProcess: The process has ended meanwhile.
        """
        report = self.report
        if report.after is not None:
            with Process(self._process.pid) as process:
                if process.start_time != self._process.start_time:
                    raise self._process.gone()
                back = residency(process.pid) - report.after
            bounced = sum(back.pages(node) for node in self._lasting_sources())
            self._report = replace(report, bounced=max(0, bounced))
        return self.report

    def _run(self, *, watched: bool) -> Iterator[Progress]:
        if self._started:
            raise InvalidArgument("a migration runs once; make another one")
        self._started = True
        with self._process:
            self._prepare()
            yield from self._run_prepared(watched=watched)

    def _run_prepared(self, *, watched: bool) -> Iterator[Progress]:
        with MemoryFiles(self._process.pid) as self._files:
            if not self._process.alive():  # what was opened may be of another one with its pid
                raise self._process.gone()
            self._before = residency(self._process.pid, files=self._files)
            self._start_time = time.monotonic()
            try:
                yield from self._operate(direct=not (watched or self._bounded))
            except BaseException:
                self._outcome = "cancelled"
                raise
            finally:
                self._report = self._conclude()

    def _operate(self, *, direct: bool) -> Iterator[Progress]:
        assert self._before is not None
        self._enter_settled(self._before)
        if not self._routes.moves:
            return
        mover = Mover(self._process, self._routes, shared=bool(self._shared))
        survey = Survey(self._files, mover, self._routes.sources)
        try:
            if direct and self._direct and self._going():
                self._call(survey)
            yield from self._walk(mover, survey)
            if self._some_hidden() and self._direct and self._going():
                self._call(survey)
                yield from self._walk(mover, survey)
        except (NoSuchProcess, NoUserMemory):
            self._outcome = "ended"
        finally:
            mover.close()
        if self._pace.cancelled and self._outcome == "done":
            self._outcome = "cancelled"

    def _prepare(self) -> None:
        """Decides what ``shared`` means here, after everything that can be refused has been."""
        caller = Task.read(0)
        privileged = caller.may_move_anything()
        target = Task.read(self._process.pid)
        refuse(Facts(self._routes, caller, target, shared=bool(self._shared)))
        if self._shared is None:
            self._shared = privileged
        # The single call moves shared pages whenever it may: it serves only where both agree.
        self._direct = self._shared == privileged and not self._routes.overlap

    def _going(self) -> bool:
        return self._outcome == "done" and not self._pace.cancelled

    def _walk(self, mover: Mover, survey: Survey) -> Iterator[Progress]:
        """Moves what is on the source nodes, and tries again what was busy or came later."""
        for attempt in range(self._retries + 1):
            stretches = survey.look()
            if not stretches or (attempt and not self._worth_trying(survey)):
                return
            if attempt and not self._pace.sleep(_BACKOFF[attempt - 1]):
                return
            self._hidden = 0
            take = partial(self._take, survey)
            for _ in go_through(mover, stretches, self._pace, self._workers, take):
                yield self._progress()
            if not self._going() or (self._some_hidden() and self._direct):
                return

    def _worth_trying(self, survey: Survey) -> bool:
        if self._some_hidden() or self._ledger.total.left.get("busy"):
            return True
        return not self._routes.overlap and survey.pages > self._ledger.total.left_behind

    def _some_hidden(self) -> bool:
        """Whether there are pages that move_pages(2) has not seen, or has lost sight of."""
        return bool(self._hidden or self._ledger.total.left.get("hidden"))

    def _take(self, survey: Survey, stretch: Stretch, step: Step) -> None:
        self._methods["move_pages"] = None
        self._ledger.enter(step.entries)
        self._hidden += step.hidden
        survey.keep(stretch, always=self._routes.overlap)
        if step.ended:
            self._outcome = "ended"

    def _call(self, survey: Survey) -> None:
        """The single system call. What was left behind so far it meets, or the next look does."""
        survey.forget()
        self._ledger.forget_left()
        self._hidden = 0
        self._methods["migrate_pages"] = None
        self._ledger.enter(migrate_directly(self._files, self._routes))

    # -- account

    def _enter_settled(self, before: Residency) -> None:
        for kind in KINDS:
            for node in self._routes.settled:
                pages = before.pages(node, kind)
                for column in ("asked", "already_there") if pages else ():
                    self._ledger.enter([Entry(node, kind, column, pages)])

    def _progress(self) -> Progress:
        assert self._before is not None
        total = sum(self._before.pages(node) for node in self._routes.sources) * PAGE_SIZE
        counts = self._ledger.total
        done = (counts.asked - counts.already_there) * PAGE_SIZE
        elapsed = time.monotonic() - self._start_time
        rate = counts.moved * PAGE_SIZE / elapsed if elapsed else 0.0
        left = max(0, total - done)
        return Progress(done, max(total, done), rate, left / rate if rate else None)

    def _conclude(self) -> Report:
        after = None if self._outcome == "ended" else self._look()
        if after is None:
            self._outcome = "ended"
        if self._hidden and self._outcome != "cancelled":  # those count as not tried
            for column in ("asked", "hidden"):
                self._ledger.enter([Entry(None, None, column, self._hidden)])
        if after is not None and self._outcome == "cancelled":
            self._enter_not_tried(after)
        return Report(
            pid=self._process.pid,
            moves=dict(self._routes.moves),
            outcome=self._outcome,
            methods=tuple(self._methods),
            page_size=PAGE_SIZE,
            elapsed=time.monotonic() - self._start_time,
            total=self._ledger.total,
            by_source=self._ledger.by_source(),
            by_kind=self._ledger.by_kind(),
            appeared=self._appeared(after),
            before=self._before,
            after=after,
            bounced=None,
            balancing=_balancing(),
        )

    def _look(self) -> Residency | None:
        """The residency, or None if the process has ended or replaced its memory."""
        try:
            return residency(self._process.pid, files=self._files)
        except (NoSuchProcess, NoUserMemory):
            return None

    def _lasting_sources(self) -> NodeMask:
        """Sources that nothing moves to: whatever lies there at the end has not moved."""
        return self._routes.sources - self._routes.targets

    def _enter_not_tried(self, after: Residency) -> None:
        """Pages that a cancelled operation did not come to; where routes overlap none can tell."""
        counted = {
            key: counts.left_behind for key, counts in self._ledger.rows() if counts.left_behind
        }
        for kind in KINDS:
            for node in self._lasting_sources():
                pages = max(0, after.pages(node, kind) - counted.get((node, kind), 0))
                for column in ("asked", "not-tried"):
                    self._ledger.enter([Entry(node, kind, column, pages)])

    def _appeared(self, after: Residency | None) -> int:
        if after is None or self._routes.overlap:
            return 0
        there = sum(after.pages(node) for node in self._routes.sources)
        return max(0, there - self._ledger.total.left_behind)


def _balancing() -> bool:
    try:
        return _files.read_text("/proc/sys/kernel/numa_balancing").strip() != "0"
    except OSError:
        return False
