"""Work that is done in several threads, and watched from the one that asked for it."""

from __future__ import annotations

import queue
import threading
from typing import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["in_threads"]

_T = TypeVar("_T")


class _End:
    """What a thread says last: the error of which it has ended, or that there was none."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Crew:
    """Threads that go through the same work, and what they say.

    Who has begun and who has ended is known from themselves: a ``join()`` that an interrupt comes
    out of takes a thread for ended that is not (CPython before 3.13, issue 90882).
    """

    def __init__(self, work: Callable[[], Iterator[object]]) -> None:
        self.news: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._work = work
        self._closed = False
        self._begun: list[str] = []
        self._ended: list[str] = []

    def start(self, count: int, name: str) -> int:
        """Starts so many, or as many as may be had; tells how many those are."""
        for number in range(count):
            thread = threading.Thread(target=self._run, name=f"{name}-{number}")
            try:
                thread.start()
            except RuntimeError:
                return number
        return count

    def wait(self) -> None:
        """Waits until all have ended. An interrupt that comes up meanwhile is raised afterwards.

        A thread that begins later, as its start was interrupted, does nothing.
        """
        late: BaseException | None = None
        waits = True
        while waits:
            try:
                self._closed = True  # before it is looked who has begun: see _run()
                while len(self._ended) < len(self._begun):
                    self.news.get()
                waits = False
            except BaseException as error:
                late = error
        if late:
            raise late

    def _run(self) -> None:
        name = threading.current_thread().name
        end = _End()
        self._begun.append(name)  # before it is looked whether to: either is seen by the other
        try:
            if not self._closed:
                for event in self._work():
                    self.news.put(event)
        except BaseException as error:
            end = _End(error)
        self._ended.append(name)  # before it is told: who hears of it may be interrupted there
        self.news.put(end)


def in_threads(
    work: Callable[[], Iterator[_T]], count: int, stop: Callable[[], object], name: str
) -> Generator[_T, None, None]:
    """Yields what the threads yield, in that of the caller; what one of them raises is raised here.

    When it ends, in whatever way, no thread is at work: they use what the caller closes then.
    Interrupts that come while they end are held until they have; then the last is raised. One gets
    through where the loop that holds them jumps back, as no ``try`` of plain Python holds that: it
    comes some instructions after another one, which came up as ``stop`` or the wait was entered,
    or as the wait went on after a third. PyPy's queue is Python code: an interrupt within it may
    leave it locked, and all waiting.

    Args:
        work: What each thread goes through.
        count: How many there are to be. Where no more may be had (pids.max, RLIMIT_NPROC) fewer do
            it, or the caller's own does.
        stop: Has all of ``work`` end soon, also that which has not begun; raises nothing itself.
            Called where the caller does not go on, and again after an interrupt of it or the wait.
        name: Of the threads, before their number.
    """
    crew = _Crew(work)
    finished = False
    late: BaseException | None = None
    try:
        running = crew.start(count, name)
        if not running:
            yield from work()
        while running:
            event = crew.news.get()
            if not isinstance(event, _End):
                yield event  # type: ignore[misc]  # of work(), as nobody else puts anything there
            elif event.error:
                raise event.error
            else:
                running -= 1
        finished = True
    finally:
        while True:  # nothing is before it, and it is no call: an interrupt would come up there
            try:
                if not finished:
                    stop()
                crew.wait()
                break
            except BaseException as error:
                late = error
        if late:
            raise late
