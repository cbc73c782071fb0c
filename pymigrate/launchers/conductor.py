"""Who has answered, who is silent, and when to stop: the work on many hosts, as seen from outside.

It waits for nothing and starts nothing: an engine tells it what came in, and asks what to do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf

from pymigrate.errors import InvalidArgument
from pymigrate.launchers import account
from pymigrate.launchers.cluster_report import ClusterReport
from pymigrate.launchers.frames import Unframer
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.last_words import no_answer
from pymigrate.launchers.outcomes import CANCELLED, FAILED, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

__all__ = ["CUT", "GO_ON", "KILL", "ClusterProgress", "Conductor"]

GO_ON, CUT, KILL = "go on", "cut", "kill"
"""What an engine is told: to go on; to end the helpers' standard input, which makes them stop and
answer; to end them, as they do not."""

_GRACE = 10.0  # seconds for a helper to end the step under way and to answer
_LAST_CALL = 1.0  # the same for one that was silent all the time
_LINGERING = 5.0  # seconds for the engine to end, once every host has answered
_BATCH = 256  # answers that are held before they are summed up


@dataclass(frozen=True)
class ClusterProgress:
    """How far the work on a job is.

    Attributes:
        hosts: Hosts of the job.
        answered: Those that have answered.
        done: Bytes that are dealt with, as far as hosts have told.
        total: Bytes that have to leave, likewise.
    """

    hosts: int
    answered: int
    done: int
    total: int


class Conductor:
    """Gathers what the hosts answer.

    Args:
        action: What is done, in one word.
        hosts: Those that are to answer.
        timeout: Seconds for which a host may be silent.
        progress: Called when there is news.
        at_once: Whether all hosts are begun with now; else each is ``started()`` when it is.
    """

    def __init__(
        self,
        action: str,
        hosts: Iterable[str],
        timeout: float,
        progress: Callable[[ClusterProgress], object] | None = None,
        *,
        at_once: bool = True,
    ) -> None:
        self._action = action
        self._timeout = timeout
        self._progress = progress
        self._start = time.monotonic()
        # When those were heard that have not answered; who is not begun with yet is not silent.
        self._heard = dict.fromkeys(hosts, self._start if at_once else inf)
        self._hosts = frozenset(self._heard)
        self._how_far: dict[str, tuple[int, int]] = {}
        self._sums: tuple[int, ...] = (0, 0)
        self._unframer = Unframer()
        self._parts: list[ClusterReport] = []
        self._cancelled = False
        self._cut_at: float | None = None
        self._overdue: dict[str, float] = {}  # hosts that were cut by themselves, and when
        self._all_answered_at: float | None = None

    def cancel(self) -> None:
        """Makes all hosts stop; from any thread and from signal handlers."""
        self._cancelled = True

    @property
    def begun(self) -> bool:
        """Whether any host has been heard of."""
        return bool(self._how_far) or bool(self._parts)

    @property
    def gave_up(self) -> bool:
        """Whether the hosts were told to stop, by whomever."""
        return self._cancelled or self._cut_at is not None

    @property
    def waits(self) -> bool:
        """Whether some host has not answered."""
        return bool(self._heard)

    # -- what came in

    def started(self, host: str) -> None:
        """A host is begun with."""
        if host in self._heard:
            self._heard[host] = time.monotonic()

    def hear(self, line: str, host: str = "", *, label: str = "") -> None:
        """A line of a helper's standard output.

        Args:
            line: With or without its end.
            host: From where it came; where that is empty, the helper itself tells.
            label: From where it came by the engine's label. It counts where the helper gives a name
                that the engine does not have, such as one without a domain.
        """
        found = self._unframer.feed(line, host or label)
        if found is None:
            return
        named, message = found
        host = host or (named if named in self._hosts else label)
        if host not in self._heard:
            return
        self.started(host)
        if "report" in message:
            self._take(host, message["report"])
        else:
            done, total = _how_far(message.get("progress"))
            before = self._how_far.get(host, (0, 0))
            self._how_far[host] = done, total
            self._sums = tuple(s + n - b for s, n, b in zip(self._sums, (done, total), before))
        self._tell()

    def fail(self, host: str, error: str, finding: str) -> None:
        """A host is known not to answer any more, for a reason that has a name."""
        if host in self._heard:
            self._answered(host, self._without(host, FAILED, error, finding))
            self._tell()

    def fail_rest(self, error: Exception) -> None:
        """The same of all that have not answered."""
        for host in list(self._heard):
            self.fail(host, type(error).__name__, str(error))

    def ended(self, host: str, words: str) -> None:
        """The helper of a host has ended; if it has not answered it never will.

        Args:
            host: Which.
            words: How it ended, and what it has said last.
        """
        if host in self._heard:
            self._answered(host, self._row_of_missing(host, words))
            self._tell()

    # -- what to do

    def orders(self) -> str:
        """What an engine has to do now; to be asked several times in a second."""
        now = time.monotonic()
        if not self._heard:
            self._all_answered_at = self._all_answered_at or now
            return KILL if now - self._all_answered_at > _LINGERING else GO_ON
        if self._cut_at is None:
            if not (self._cancelled or self._all_silent(now)):
                return GO_ON
            self._cut_at = now
        # Who has been silent for so long is not waited for again.
        grace = _GRACE if self._cancelled else _LAST_CALL
        return KILL if now - self._cut_at > grace else CUT

    def orders_of_each(self) -> Iterator[tuple[str, str]]:
        """The same for hosts that can be stopped by themselves: silent ones give others room."""
        now = time.monotonic()
        for host, heard in list(self._heard.items()):
            if host not in self._overdue and now - heard > self._timeout:
                self._overdue[host] = now
                yield host, CUT
            elif now - self._overdue.get(host, now) > _LAST_CALL:
                yield host, KILL

    def _all_silent(self, now: float) -> bool:
        return all(now - heard > self._timeout for heard in self._heard.values())

    # -- the report

    def report(self, words: Callable[[str], str] | None = None) -> ClusterReport:
        """The sum, with a row for each host that has not answered; when the engine has ended.

        Args:
            words: Tells how the helper of a host ended, and what it has said last.
        """
        for host in list(self._heard):
            self._answered(host, self._row_of_missing(host, words(host) if words else ""))
        elapsed = time.monotonic() - self._start
        whole = ClusterReport(self._action, elapsed=elapsed)
        return ClusterReport.merged([whole, *self._parts])

    def _row_of_missing(self, host: str, words: str) -> ClusterReport:
        if self._cancelled:
            finding = "stopped before it answered: what has been done there is not known"
            if self._heard[host] == inf:
                finding = "not begun with"
            return self._without(host, CANCELLED, "", finding)
        if self._was_cut(host):
            # Of whoever was never heard the engine may know why, such as that it waits for room.
            why = f": {words}" if words and host not in self._how_far else ""
            return self._without(host, SILENT, "", f"no answer within {self._timeout:g} s{why}")
        return self._without(host, FAILED, "HelperFailed", no_answer(words))

    def _was_cut(self, host: str) -> bool:
        return self._cut_at is not None or host in self._overdue

    def _take(self, host: str, values: Any) -> None:
        try:
            part = account.renamed(ClusterReport.from_dict(values), host)
        except InvalidArgument as error:
            row = HostRow.failed(host, error)
            part = account.failed(self._action, row)
        if self._was_cut(host) and not self._cancelled:
            part = _late(part, self._timeout)
        self._answered(host, part)

    def _answered(self, host: str, part: ClusterReport) -> None:
        del self._heard[host]
        self._parts.append(part)
        if len(self._parts) >= _BATCH:
            self._parts = [ClusterReport.merged(self._parts)]

    def _without(self, host: str, outcome: str, error: str, finding: str) -> ClusterReport:
        row = HostRow(host, outcome, error=error, finding=finding)
        return account.failed(self._action, row)

    def _tell(self) -> None:
        if self._progress:
            answered = len(self._hosts) - len(self._heard)
            self._progress(ClusterProgress(len(self._hosts), answered, *self._sums))


def _how_far(progress: object) -> tuple[int, int]:
    """What a host has told of its progress; nothing where that is of another release."""
    if isinstance(progress, list) and [type(number) for number in progress] == [int, int]:
        done, total = progress
        return done, total
    return 0, 0


def _late(part: ClusterReport, timeout: float) -> ClusterReport:
    """The answer of a host that was stopped because it had said nothing for too long."""
    finding = f"said nothing for {timeout:g} s and was stopped: this is what it had done"
    rows = (
        replace(row, outcome=SILENT, finding=finding) if row.outcome == CANCELLED else row
        for row in part.hosts
    )
    return replace(part, hosts=tuple(rows))
