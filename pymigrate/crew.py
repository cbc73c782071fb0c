"""Workers that go through stretches of memory, one step at a time."""

from __future__ import annotations

import queue
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymigrate.mover import Mover, Step, Stretch
    from pymigrate.pace import Pace

__all__ = ["go_through"]


def go_through(
    mover: Mover, stretches: Sequence[Stretch], pace: Pace, workers: int
) -> Iterator[tuple[Stretch, Step]]:
    """Takes all steps of all stretches; yields each as it is done, in the thread of the caller.

    Ends early when the operation is cancelled or the process has ended. Each step lets other
    threads run, so several workers really move pages at the same time.
    """
    todo: queue.SimpleQueue[Stretch] = queue.SimpleQueue()
    for stretch in stretches:
        todo.put(stretch)
    if workers == 1:
        yield from _work(mover, todo, pace)
    else:
        yield from _work_together(mover, todo, pace, min(workers, len(stretches)))


def _work(
    mover: Mover, todo: queue.SimpleQueue[Stretch], pace: Pace
) -> Iterator[tuple[Stretch, Step]]:
    """One worker: takes stretches until there are none."""
    while True:
        try:
            stretch = todo.get_nowait()
        except queue.Empty:
            return
        while not stretch.finished:
            if not pace.wait():
                return
            started = time.monotonic()
            step = mover.step(stretch, pace.limit)
            pace.account(step.looked_at, step.moved, time.monotonic() - started)
            yield stretch, step
            if step.ended:
                return


def _work_together(
    mover: Mover, todo: queue.SimpleQueue[Stretch], pace: Pace, workers: int
) -> Iterator[tuple[Stretch, Step]]:
    """Several workers in threads of their own; what one of them raises is raised here."""
    results: queue.SimpleQueue[tuple[Stretch, Step] | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for result in _work(mover, todo, pace):
                results.put(result)
        except BaseException as error:
            results.put(error)
        finally:
            results.put(None)

    threads = [threading.Thread(target=work, name=f"pymigrate-{i}") for i in range(workers)]
    for thread in threads:
        thread.start()
    running = workers
    try:
        while running:
            result = results.get()
            if result is None:
                running -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result
    finally:
        if running:
            # The caller does not go on: no further step starts, those under way end.
            pace.cancel()
        for thread in threads:
            thread.join()
