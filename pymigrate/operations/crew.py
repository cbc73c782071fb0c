"""Workers that go through stretches of memory, one step at a time."""

from __future__ import annotations

import queue
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymigrate.operations.action import Action, Step
    from pymigrate.operations.pace import Pace
    from pymigrate.operations.stretch import Stretch

__all__ = ["go_through"]


def go_through(
    action: Action,
    stretches: Sequence[Stretch],
    pace: Pace,
    workers: int,
    account: Callable[[Stretch, Step], object],
) -> Iterator[None]:
    """Takes all steps of all stretches; yields after each, in the thread of the caller.

    Ends early when the operation is cancelled or the process has ended. Each step lets other
    threads run, so several workers really work at the same time.

    Args:
        action: What takes the steps.
        stretches: What there is to do.
        pace: How fast.
        workers: How many threads.
        account: Called with each step that was taken, one at a time, in any thread; also when the
            caller does not go on.
    """
    todo: queue.SimpleQueue[Stretch] = queue.SimpleQueue()
    for stretch in stretches:
        todo.put(stretch)
    if workers == 1:
        yield from _work(action, todo, pace, account)
    else:
        yield from _work_together(action, todo, pace, account, min(workers, len(stretches)))


def _work(
    action: Action,
    todo: queue.SimpleQueue[Stretch],
    pace: Pace,
    account: Callable[[Stretch, Step], object],
) -> Iterator[None]:
    """One worker: takes stretches until there are none."""
    while True:
        try:
            stretch = todo.get_nowait()
        except queue.Empty:
            return
        while not stretch.finished:
            if not pace.wait():
                return
            step = None
            try:
                step = action.step(stretch, pace.limit)
            finally:  # whatever comes up in it, the pages that it has dealt with are entered
                account(stretch, step or action.cut_short(stretch))
            pace.account(step.looked_at, step.moved, step.seconds)
            yield
            if step.ended:
                return


def _work_together(
    action: Action,
    todo: queue.SimpleQueue[Stretch],
    pace: Pace,
    account: Callable[[Stretch, Step], object],
    workers: int,
) -> Iterator[None]:
    """Several workers in threads of their own; what one of them raises is raised here."""
    news: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()
    lock = threading.Lock()

    def account_alone(stretch: Stretch, step: Step) -> None:
        with lock:
            account(stretch, step)

    def work() -> None:
        try:
            for _ in _work(action, todo, pace, account_alone):
                news.put("step")
            news.put("end")
        except BaseException as error:
            news.put(error)

    threads: list[threading.Thread] = []
    running = workers
    try:
        for number in range(workers):
            thread = threading.Thread(target=work, name=f"pymigrate-{number}")
            try:
                thread.start()
            except RuntimeError:  # no more may be had (pids.max, RLIMIT_NPROC): fewer do it too
                if not threads:
                    raise
                break
            threads.append(thread)
        running = len(threads)
        while running:
            event = news.get()
            if isinstance(event, BaseException):
                raise event
            if event == "step":
                yield
            else:
                running -= 1
    finally:
        if running:
            # The caller does not go on: no further step starts, those under way end.
            pace.cancel()
        for thread in threads:
            thread.join()
