"""Work in threads: what is yielded and raised, and that no thread outlives the call."""

from __future__ import annotations

import inspect
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from pymigrate.operations import threads
from pymigrate.operations.threads import in_threads


class Crew:
    """Work that goes on until it is stopped, and knows the threads that are at it."""

    def __init__(self) -> None:
        self.stopped = False
        self.at_work: set[str] = set()

    def stop(self) -> None:
        """Has all of it end."""
        self.stopped = True

    def work(self) -> Iterator[None]:
        """What a thread goes through."""
        name = threading.current_thread().name
        self.at_work.add(name)
        while not self.stopped:
            yield
        self.at_work.discard(name)


def test_what_all_of_them_yield() -> None:
    steps = in_threads(lambda: iter(range(3)), 4, lambda: None, "test")
    assert sorted(steps) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_none_outlives_a_caller_that_does_not_go_on() -> None:
    crew = Crew()
    with closing(in_threads(crew.work, 3, crew.stop, "test")) as steps:
        next(steps)
    assert crew.stopped
    assert not crew.at_work


def test_what_one_of_them_raises_stops_the_others() -> None:
    crew = Crew()

    def work() -> Iterator[None]:
        if threading.current_thread().name == "test-1":
            raise ZeroDivisionError
        yield from crew.work()

    with pytest.raises(ZeroDivisionError):
        list(in_threads(work, 3, crew.stop, "test"))
    assert not crew.at_work


def _main_thread_waits() -> bool:
    """Whether it is in the call that an interrupt comes out of."""
    lines, first = inspect.getsourcelines(threads._Crew.wait)
    (line,) = [number for number, text in enumerate(lines, first) if "news.get()" in text]
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame and frame.f_code is not threads._Crew.wait.__code__:
        frame = frame.f_back
    return bool(frame and frame.f_lineno == line)


@pytest.mark.skipif(
    sys.implementation.name != "cpython",
    reason="PyPy's queue is Python code, which an interrupt may leave locked; CPython runs this",
)
def test_an_interrupt_while_they_end_leaves_none_behind(signals: queue.SimpleQueue[None]) -> None:
    crew = Crew()

    def work() -> Iterator[None]:
        yield from crew.work()
        crew.at_work.add("late")
        while not _main_thread_waits():
            pass
        while signals.empty():  # one that comes just before a thread sleeps does not wake it
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        crew.at_work.clear()

    steps = in_threads(work, 1, crew.stop, "test")
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.close()
    assert not crew.at_work


def test_an_interrupt_as_they_are_stopped_stops_them_all_the_same() -> None:
    crew = Crew()
    calls = count()

    def stop() -> None:
        if next(calls) == 0:
            raise KeyboardInterrupt
        crew.stop()

    def work() -> Iterator[None]:
        end = time.monotonic() + 2  # where nobody stops it
        for event in crew.work():
            if time.monotonic() > end:
                return
            yield event

    steps = in_threads(work, 2, stop, "test")
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.close()
    assert crew.stopped
    assert not crew.at_work


def test_an_interrupt_before_they_are_waited_for_leaves_none_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the first instruction of that call, which no ``try`` of its own can hold."""
    crew = Crew()
    wait = threads._Crew.wait
    calls = count()

    def interrupted(waiting: threads._Crew) -> None:
        if next(calls) < 3:
            raise KeyboardInterrupt
        crew.stopped = True
        wait(waiting)

    monkeypatch.setattr(threads._Crew, "wait", interrupted)
    steps = in_threads(crew.work, 2, lambda: None, "test")
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.close()
    outlived = set(crew.at_work)
    crew.stop()
    assert not outlived


def test_a_thread_that_begins_when_all_have_ended_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its start was interrupted, so that nobody knows of it."""
    begun: list[threading.Thread] = []
    done = []

    def start(thread: threading.Thread) -> None:
        begun.append(thread)
        raise KeyboardInterrupt

    def work() -> Iterator[None]:
        done.append(threading.current_thread().name)
        yield

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        list(in_threads(work, 1, lambda: None, "test"))
    begun[0].run()
    assert not done


@pytest.fixture
def signals() -> Iterator[queue.SimpleQueue[None]]:
    """Hears of the first SIGUSR1, which interrupts as SIGINT does."""
    heard: queue.SimpleQueue[None] = queue.SimpleQueue()

    def interrupt(number: int, frame: object) -> None:
        if heard.empty():
            heard.put(None)
            raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGUSR1, interrupt)
    yield heard
    signal.signal(signal.SIGUSR1, earlier)


@pytest.mark.parametrize("possible", [0, 1])
def test_fewer_threads_where_no_more_may_be_had(
    possible: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pthread_create(3) fails under RLIMIT_NPROC and pids.max."""
    start = threading.Thread.start
    started = count()

    def start_some(thread: threading.Thread) -> None:
        if next(started) >= possible:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    assert list(in_threads(lambda: iter(range(3)), 4, lambda: None, "test")) == [0, 1, 2]
