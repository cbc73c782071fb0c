"""Workers that go through stretches of memory, one step at a time."""

from __future__ import annotations

import queue
import threading

from pymigrate.operations.threads import in_threads

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
    lock = threading.Lock()

    def account_alone(stretch: Stretch, step: Step) -> None:
        with lock:
            account(stretch, step)

    def work() -> Iterator[None]:
        return _work(action, todo, pace, account_alone)

    return in_threads(work, workers, pace.cancel, "pymigrate")
