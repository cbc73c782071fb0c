"""``Migration``: the managed migration of one process, from preflight to report."""

from __future__ import annotations

from contextlib import suppress

from pymigrate._checks import check_flag
from pymigrate.errors import NoSuchProcess, NotPermitted, NoUserMemory, Unsupported
from pymigrate.operations.direct import departures, is_enough, migrate_directly
from pymigrate.operations.mover import Mover, call_overhead
from pymigrate.operations.obstacles import Facts, refuse
from pymigrate.operations.operation import RETRIES_MAX, Operation
from pymigrate.operations.routes import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymigrate.kernel.process import Process
    from pymigrate.kernel.resident import Residency
    from pymigrate.nodemask import Nodes
    from pymigrate.operations.survey import Survey
    from pymigrate.task import Task

__all__ = ["Migration"]


class Migration(Operation):
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
        NoSuchProcess: There is no such process.

    ``run()`` and the first step raise, before anything has moved:

    Raises:
        NotPermitted: The caller may not move this process, or not its shared pages.
        NodesRefused: The targets have no memory, or the cpuset of the process forbids them.
        NoUserMemory: It is a kernel thread or a zombie.
        Unsupported: The kernel has no such calls, or the process has addresses that a 32-bit caller
            cannot name.
    """

    name = "migrate"

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
        retries: int = RETRIES_MAX,
    ) -> None:
        check_flag("shared", shared, optional=True)
        super().__init__(
            pid,
            Routes.of(old, new, moves),
            rate=rate,
            max_stall=max_stall,
            overhead=call_overhead,
            workers=workers,
            retries=retries,
        )
        self._shared = shared
        self._direct = False

    def _prepare(self, caller: Task, target: Task) -> None:
        """Decides what ``shared`` means here, after everything that can be refused has been."""
        privileged = caller.may_move_anything()
        refuse(Facts(self._routes, caller, target, shared=bool(self._shared)))
        if self._shared is None:
            self._shared = privileged
        self._direct = is_enough(self._routes, shared=self._shared, privileged=privileged)

    def _make_action(self, process: Process) -> Mover:
        return Mover(process, self._routes, shared=bool(self._shared))

    @property
    def _can_do_at_once(self) -> bool:
        return self._direct

    def _do_at_once(self, survey: Survey) -> bool:
        """The single system call. What was left behind so far it meets, or the next look does."""
        if not (self._direct and self._going() and self._pace.wait()):
            return False
        accounts = self._accounts
        before = accounts.resident()
        accounts.expect_changes()  # also where a signal's handler raises when the call returns
        try:
            migrate_directly(survey.files, self._routes)
        except NoSuchProcess:
            raise
        except BaseException as error:
            if isinstance(error, (NotPermitted, Unsupported)) and error.reason == "sandbox":
                self._direct = False  # the walk makes another call, which may be allowed
                return False
            with suppress(NoSuchProcess, NoUserMemory):
                self._enter_departures(survey, before)
            raise
        self._enter_departures(survey, before)
        return True

    def _enter_departures(self, survey: Survey, before: Residency) -> None:
        """What the single call did, and nothing of what was left behind until then."""
        accounts = self._accounts
        accounts.note("migrate_pages")
        survey.forget()
        accounts.ledger.forget_left()
        accounts.hidden = 0
        accounts.ledger.enter(departures(self._routes, before, accounts.resident()))
