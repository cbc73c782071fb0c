"""Migration moves every page once, to where it was told, and accounts for each of them."""

from __future__ import annotations

import errno
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from support import seccomp
from support.accounts import check_idle, check_sums
from support.credentials import (
    CAP_SYS_ADMIN,
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    keep_capabilities,
)
from support.memory import PAGE, Block, target
from support.pids import hold_still
from support.processes import in_child
from support.syscalls import numbers

from pymigrate import InvalidArgument, NodeMask, NotPermitted, plan, residency
from pymigrate.operations.accounts import Accounts
from pymigrate.operations.migration import Migration
from pymigrate.operations.report import Progress, Report

pytestmark = [pytest.mark.managed, pytest.mark.numa, pytest.mark.usefixtures("calm")]

MANY = (16 << 20) // PAGE
STEPS = MANY * PAGE * 2.5  # bytes in a second: MANY pages are done in four steps, in 0.4 s


def mixed(seed: int, pages: int = MANY) -> list[int]:
    """A node for each page, in runs of all lengths."""
    dice = random.Random(seed)
    layout: list[int] = []
    while len(layout) < pages:
        layout += [dice.randrange(4)] * dice.choice([1, 1, 2, 7, 100, 600])
    return layout[:pages]


def managed(pid: int, *nodes: int | str, **wishes: Any) -> Migration:
    """A migration of a process that does nothing."""
    hold_still(pid)
    return Migration(pid, *nodes, **wishes)


# -- where pages go


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    ("old", "new"), [("0", "1"), ("0-1", "2-3"), ("0-3", "3"), ("0-2", "1-3"), ("1-3", "0-2")]
)
def test_two_node_sets(old: str, new: str, workers: int) -> None:
    layout = mixed(1)
    goes_to = dict(plan(old, new))
    with target(layout) as process:
        report = managed(process.pid, old, new, workers=workers).run()
        assert process.nodes() == [goes_to.get(node, node) for node in layout]
        assert process.intact()
    assert report.moves == goes_to
    assert report.complete
    check_idle(report)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    "moves",
    [{0: 1, 1: 0}, {0: 1, 1: 2, 2: 3}, {0: 1, 1: 2, 2: 3, 3: 0}, {0: 2, 1: 2}, {3: 3, 0: 1}],
)
def test_a_map(moves: dict[int, int], workers: int) -> None:
    layout = mixed(2, 5 * MANY)  # more than one stretch, for several workers
    with target(layout) as process:
        report = managed(process.pid, moves=moves, workers=workers).run()
        assert process.nodes() == [moves.get(node, node) for node in layout]
        assert process.intact()
    assert report.complete
    check_idle(report)


@pytest.mark.parametrize(
    ("forbidden", "wishes", "made"),
    [
        ("migrate_pages", {}, "move_pages"),
        ("migrate_pages", {"max_stall": 1.0}, "move_pages"),
        ("move_pages", {}, "migrate_pages"),
    ],
)
def test_a_sandbox_that_forbids_the_other_call(
    forbidden: str, wishes: dict[str, Any], made: str
) -> None:
    def move(pid: int) -> Report:
        seccomp.refuse(errno.EPERM, getattr(numbers(), forbidden))
        return Migration(pid, 0, 1, **wishes).run()

    with target([0] * MANY) as process:
        hold_still(process.pid)
        report = in_child(lambda: move(process.pid))
        assert process.nodes() == [1] * MANY
    assert report.methods == (made,)
    assert report.complete


def test_a_sandbox_that_forbids_the_walk() -> None:
    def move(pid: int) -> None:
        seccomp.refuse(errno.EPERM, numbers().move_pages)
        Migration(pid, 0, 1, rate=STEPS).run()

    with target([0] * MANY) as process:
        with pytest.raises(NotPermitted) as refusal:
            in_child(lambda: move(process.pid))
        assert process.nodes() == [0] * MANY
    assert refusal.value.reason == "sandbox"
    assert "allow move_pages in" in str(refusal.value)


def test_a_map_in_steps_moves_no_page_twice() -> None:
    layout = mixed(3)
    with target(layout) as process:
        report = managed(process.pid, moves={0: 1, 1: 0}, rate=STEPS).run()
        assert process.nodes() == [{0: 1, 1: 0}.get(node, node) for node in layout]
        assert process.intact()
    check_sums(report)
    assert report.complete


@pytest.mark.parametrize("capabilities", [(), (CAP_SYS_ADMIN,)])
@pytest.mark.parametrize("old", ["0", "0,2-3"])
def test_whoever_may_or_may_not_know_page_frames(old: str, capabilities: tuple[int, ...]) -> None:
    layout, sources = mixed(4), NodeMask(old)

    def move(pid: int) -> Report:
        keep_capabilities(CAP_SYS_PTRACE, CAP_SYS_NICE, *capabilities)
        return managed(pid, old, 1).run(lambda _: None)

    with target(layout) as process:
        report = in_child(partial(move, process.pid))
        assert process.nodes() == [1 if node in sources else node for node in layout]
        assert process.intact()
    assert report.methods == ("move_pages",)
    check_idle(report)


def test_the_single_call_where_nobody_watches() -> None:
    with target([0] * MANY) as process:
        report = managed(process.pid, 0, 1).run()
        assert process.counts() == {1: MANY}
    assert report.methods == ("migrate_pages",)
    check_idle(report)


def test_steps_where_somebody_does() -> None:
    seen: list[Progress] = []
    with target([0] * MANY) as process:
        report = managed(process.pid, 0, 1).run(seen.append)
        assert process.counts() == {1: MANY}
    assert report.methods == ("move_pages",)
    check_idle(report)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1].done == seen[-1].total == report.total.moved * PAGE
    assert seen[-1].left == 0
    assert seen[-1].seconds_left == 0


def test_nothing_to_move() -> None:
    with target([0] * 64) as process:
        report = managed(process.pid, moves={0: 0}).run()
        assert process.counts() == {0: 64}
    assert (report.total.moved, report.methods, report.moves) == (0, (), {})
    assert report.before is not None
    assert report.total.asked == report.total.already_there == report.before.pages(0)
    assert report.complete
    check_sums(report)


def test_what_is_there_already() -> None:
    with target([0] * 100 + [1] * 200) as process:
        report = managed(process.pid, "0-1", 1).run()
        assert process.counts() == {1: 300}
    assert report.by_source[1].already_there >= 200
    assert report.by_source[1].asked == report.by_source[1].already_there
    check_idle(report)


def test_the_own_process() -> None:
    def moved() -> tuple[Report, bool]:
        block = Block([0] * MANY)
        report = Migration(0, 0, 2, workers=2).run()
        return report, block.intact()

    report, intact = in_child(moved)
    assert intact
    assert report.by_source[0].moved >= MANY
    assert report.outcome == "done"
    check_sums(report)


# -- control


def stepwise(pid: int, **wishes: Any) -> Migration:
    """From node 0 to node 1, in several steps."""
    return managed(pid, 0, 1, **{"rate": STEPS, **wishes})


def check_partial(report: Report, on: dict[int, int]) -> None:
    """It was stopped between the first page and the last."""
    check_sums(report)
    assert report.outcome == "cancelled"
    assert not report.complete
    assert report.before is not None
    assert report.after is not None
    assert report.total.asked - report.total.already_there == report.before.pages(0)
    assert report.total.moved == report.before.pages(0) - report.after.pages(0)
    assert report.total.left == {"not-tried": report.after.pages(0)}
    assert on[0] > 0


@pytest.mark.parametrize("workers", [1, 3])
def test_cancel_in_the_callback(workers: int) -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid, workers=workers, rate=STEPS / 8)
        report = migration.run(lambda _: migration.cancel())
        check_partial(report, process.counts())
        assert process.intact()


@pytest.mark.parametrize("workers", [1, 3])
def test_leaving_the_loop(workers: int) -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid, workers=workers, rate=STEPS / 8)
        for _ in migration:
            break
        check_partial(migration.report, process.counts())


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_the_callback(workers: int) -> None:
    class Enough(Exception):
        pass

    def stop(_: Progress) -> None:
        raise Enough

    with target([0] * MANY) as process:
        migration = stepwise(process.pid, workers=workers, rate=STEPS / 8)
        with pytest.raises(Enough):
            migration.run(stop)
        check_partial(migration.report, process.counts())


def test_another_interrupt_during_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def stop(_: Progress) -> None:
        monkeypatch.setattr(Accounts, "resident", interrupt)
        raise KeyError

    with target([0] * MANY) as process:
        migration = stepwise(process.pid)
        with pytest.raises(KeyboardInterrupt):
            migration.run(stop)
        report = migration.report
        assert report.before is not None
        arrived = residency(process.pid).pages(1) - report.before.pages(1)
    assert report.total.moved == arrived > 0
    assert (report.outcome, report.after) == ("cancelled", None)
    check_sums(report)


def test_cancel_in_another_thread_while_it_waits() -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid, rate=1)  # a page takes an hour
        threading.Timer(0.5, migration.cancel).start()
        check_partial(migration.run(), process.counts())
    assert migration.report.total.moved < 16


def test_cancel_before_the_start() -> None:
    with target([0] * MANY) as process:
        migration = managed(process.pid, 0, 1)
        migration.cancel()
        migration.cancel()
        report = migration.run()
        assert process.counts() == {0: MANY}
    assert (report.outcome, report.total.moved, report.methods) == ("cancelled", 0, ())
    assert report.by_source[0].asked == report.by_source[0].left["not-tried"] >= MANY
    check_sums(report)


@pytest.fixture
def alarm() -> Iterator[None]:
    """SIGALRM may be used."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_cancel_in_a_signal_handler() -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid, rate=1)
        signal.signal(signal.SIGALRM, lambda *_: migration.cancel())
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        report = migration.run()
        check_partial(report, process.counts())


def test_pause_and_resume() -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid)
        steps = iter(migration)
        next(steps)
        migration.pause()
        halfway = process.counts()
        rest = threading.Thread(target=list, args=[steps])
        rest.start()
        rest.join(0.5)  # longer than all of it takes
        assert rest.is_alive()
        assert process.counts() == halfway
        migration.resume()
        rest.join()
        assert process.counts() == {1: MANY}
    check_sums(migration.report)
    assert migration.report.complete


def test_the_single_call_waits_too() -> None:
    with target([0] * MANY) as process:
        migration = managed(process.pid, 0, 1)
        seen = []

        def resume() -> None:
            seen.append(process.counts())
            migration.resume()

        migration.pause()
        timer = threading.Timer(0.5, resume)
        timer.start()
        report = migration.run()
        timer.join()
        assert process.counts() == {1: MANY}
    assert seen == [{0: MANY}]
    assert report.methods == ("migrate_pages",)


def test_cancel_while_paused() -> None:
    with target([0] * MANY) as process:
        migration = stepwise(process.pid)
        steps = iter(migration)
        next(steps)
        migration.pause()
        threading.Timer(0.1, migration.cancel).start()
        assert list(steps) == []
        check_partial(migration.report, process.counts())


def test_it_runs_once() -> None:
    with target([0] * 64) as process:
        migration = managed(process.pid, 0, 1)
        with pytest.raises(InvalidArgument, match="no report before"):
            migration.report  # noqa: B018
        report = migration.run()
        with pytest.raises(InvalidArgument, match="runs once"):
            migration.run()
        with pytest.raises(InvalidArgument, match="runs once"):
            next(iter(migration))
        assert migration.report is report


def test_rate() -> None:
    with target([0] * MANY) as process:
        report = stepwise(process.pid).run()
        assert process.counts() == {1: MANY}
    # The last step is not waited for; one has a tenth of what may move in a second.
    assert report.elapsed >= (report.total.moved * PAGE - STEPS / 10) / STEPS
    check_sums(report)


def test_max_stall_makes_steps_small() -> None:
    done = [0]

    def stop_after_some(progress: Progress) -> None:
        done.append(progress.done // PAGE)
        if len(done) > 50:
            migration.cancel()

    with target([0] * MANY) as process:
        migration = managed(process.pid, 0, 1, max_stall=1e-9)
        report = migration.run(stop_after_some)
    steps = [after - before for before, after in zip(done, done[1:])]
    assert steps[0] <= 16
    assert max(steps[1:]) <= 1
    check_sums(report)


def test_max_stall_lets_steps_grow() -> None:
    seen: list[Progress] = []
    with target([0] * MANY) as process:
        report = managed(process.pid, 0, 1, max_stall=60).run(seen.append)
        assert process.counts() == {1: MANY}
    # 16 pages, and twice as many with each step.
    assert len(seen) < 40
    check_idle(report)


def test_bounce() -> None:
    with target([0] * MANY) as process:
        migration = managed(process.pid, 0, 1)
        migration.run()
        assert migration.look_again().bounced == 0
        managed(process.pid, moves={1: 0}).run()
        bounced = migration.look_again().bounced
        assert bounced is not None
        assert bounced >= MANY
        assert "bounced back" in str(migration.report)


def test_two_migrations_of_one_process_at_a_time() -> None:
    with target([0] * MANY) as process:
        first, second = managed(process.pid, 0, 1), managed(process.pid, 0, 2)
        threads = [threading.Thread(target=m.run, args=[lambda _: None]) for m in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = process.counts()
        assert counts.get(0, 0) == 0
        assert Counter(process.nodes()) == counts
        assert process.intact()
    for migration in (first, second):
        check_sums(migration.report)
    moved = first.report.total.moved + second.report.total.moved
    assert moved >= MANY
