"""Migration while the process dies, becomes another, grows, shrinks and writes, or has no room."""

from __future__ import annotations

import ctypes
import errno
import io
import json
import mmap
import os
import re
import signal
import threading
from collections import Counter
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Callable

import pytest
from support import kernels, numa, requires, seccomp
from support.accounts import check_sums
from support.cpuset import cpuset
from support.credentials import CAP_SYS_PTRACE, NOBODY, keep_capabilities
from support.fullness import full_node, too_many_pages
from support.kinds import HUGE, MAP_HUGETLB, huge_page_pool
from support.memory import PAGE, Block, Target, target
from support.pids import bury, fork_a_twin, hold_still, kill, mortal, outliving, reborn
from support.processes import about_to_exec, as_user, ended, idle_process, in_child, servant, zombie
from support.stretches import STRETCH, Apart, at_work, counted, stretches_at
from support.syscalls import numbers

from pymigrate import NodeMask, NodesRefused, NoSuchProcess, NotPermitted, NoUserMemory, migrate
from pymigrate.cli import main
from pymigrate.kernel.process import Process
from pymigrate.kernel.resident import Residency, residency
from pymigrate.operations import direct
from pymigrate.operations.migration import Migration
from pymigrate.operations.mover import Mover
from pymigrate.operations.report import Progress, Report
from pymigrate.operations.routes import Routes

pytestmark = [pytest.mark.managed, pytest.mark.numa]

SOME = 16
MANY_HUGE = 24
MANY = (16 << 20) // PAGE
RATE = MANY * PAGE * 2.5  # bytes in a second: MANY pages are done in four steps, in 0.4 s

# include/uapi/asm-generic/mman-common.h
MAP_FIXED = 0x10
MAP_POPULATE = 0x8000

_libc = ctypes.CDLL(None, use_errno=True)


def at_step(number: int, action: Callable[[], object]) -> Callable[[Progress], None]:
    """What does something at one step."""
    steps = iter(range(number, -1, -1))

    def count(_: Progress) -> None:
        if next(steps, -1) == 0:
            action()

    return count


def midway(process: Target, action: Callable[[], object]) -> Callable[[Progress], None]:
    """What does something as soon as a part of the process's block has left node 0."""
    done: list[int] = []

    def look(_: Progress) -> None:
        left = process.counts().get(0, 0)
        if left < MANY and not done:
            assert left > 0
            done.append(left)
            action()

    return look


# -- it ends


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("step", [0, 1, 3])
def test_it_is_killed(step: int, workers: int) -> None:
    with target([0] * MANY) as process:
        migration = Migration(process.pid, 0, 1, rate=RATE, workers=workers)
        report = migration.run(at_step(step, lambda: kill(process.pid)))
    check_sums(report)
    assert report.outcome == "ended"
    assert report.after is None
    assert not report.complete
    # The first step may meet nothing but pages that are not to move.
    assert report.total.moved > 0 or step == 0
    assert migration.look_again().bounced is None


def test_it_is_killed_at_the_last_step() -> None:
    def kill_at_the_end(progress: Progress) -> None:
        if progress.left == 0 and not killed:
            killed.append(process.pid)
            kill(process.pid)

    killed: list[int] = []
    with target([0] * MANY) as process:
        report = Migration(process.pid, 0, 1, rate=RATE).run(kill_at_the_end)
    assert killed
    check_sums(report)
    assert report.outcome == "ended"
    assert report.total.moved >= MANY


def test_it_is_killed_at_any_moment() -> None:
    outcomes = Counter[str]()
    for delay in range(20):
        with target([0] * MANY) as process:
            migration = Migration(process.pid, 0, 1, workers=1 + delay % 2)
            alarm = threading.Timer(delay * 0.01, kill, [process.pid])
            alarm.start()
            try:
                report = migration.run(lambda _: None)
            except (NoSuchProcess, NoUserMemory):
                outcomes["before"] += 1
            else:
                outcomes[report.outcome] += 1
                check_sums(report)
            alarm.join()
    assert set(outcomes) <= {"before", "ended", "done"}
    assert outcomes["ended"] + outcomes["before"] > 0


def test_it_is_killed_before_the_single_call() -> None:
    with target([0] * MANY) as process:
        migration = Migration(process.pid, 0, 1)
        kill(process.pid)
        with pytest.raises((NoSuchProcess, NoUserMemory)):
            migration.run()


def test_it_is_killed_while_paused() -> None:
    with target([0] * MANY) as process:
        migration = Migration(process.pid, 0, 1, rate=RATE)
        steps = iter(migration)
        next(steps)
        migration.pause()
        kill(process.pid)
        migration.resume()
        assert len(list(steps)) <= 1
    check_sums(migration.report)
    assert migration.report.outcome == "ended"


def test_its_pid_is_given_to_another_before_the_start() -> None:
    with mortal() as pid:
        migration = Migration(pid, moves={0: 3, 1: 3, 2: 3})
        bury(pid)
        with reborn(pid):
            before = residency(pid)
            with pytest.raises(NoSuchProcess):
                migration.run()
            assert residency(pid) == before


@pytest.mark.parametrize("workers", [1, 4])
def test_its_pid_is_given_to_another_midway(workers: int) -> None:
    def replace() -> None:
        bury(pid)
        stack.enter_context(reborn(pid, lambda: Block([0] * MANY)))
        hold_still(pid)
        before.append(residency(pid))

    before: list[Residency] = []
    with outliving() as share, ExitStack() as stack:
        # So the memory is still there when the pid is another's, as it is while a worker moves it.
        pid = stack.enter_context(mortal(lambda: (Block([0] * MANY), share())))
        # Its own pages only: what it shares with the one that forked it, the next one has too.
        migration = Migration(
            pid, moves={0: 3, 1: 3, 2: 3}, rate=RATE, workers=workers, shared=False
        )
        report = migration.run(at_step(0, replace))
        assert residency(pid) == before[0]
    check_sums(report)
    assert report.outcome == "ended"


def test_it_becomes_another_program() -> None:
    def become() -> None:
        with pytest.raises(ChildProcessError):  # the line to it is closed by the exec
            process.process.ask(become_sleep)

    with target([0] * MANY) as process:
        report = Migration(process.pid, 0, 1, rate=RATE).run(at_step(0, become))
    check_sums(report)
    assert report.outcome == "ended"


def test_it_becomes_another_program_between_two_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that the kernel does not pair so takes a call for each node."""
    calls = []

    def call(pid: int, old: NodeMask, new: NodeMask) -> int:
        calls.append(str(old))
        try:
            return migrate(pid, old, new)
        finally:
            become()

    with about_to_exec() as (pid, become):
        monkeypatch.setattr(direct, "migrate", call)
        report = Migration(pid, moves={0: 3, 1: 2}).run()
    assert calls == ["0"]
    assert report.outcome == "ended"
    check_sums(report)


def become_sleep(_: Block) -> None:
    """Replaces the program of this process."""
    os.execvp("sleep", ["sleep", "60"])  # noqa: S606


# -- it may not be moved any longer


@pytest.mark.parametrize("asked_for", [[], ["--json"]])
def test_the_command_tells_what_had_moved_with_the_refusal(asked_for: list[str]) -> None:
    def refuse_soon(*_: object) -> None:
        if 0 < process.counts().get(0, 0) < MANY:
            seccomp.refuse(errno.EPERM, numbers().move_pages)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def move(pid: int) -> tuple[int, str]:
        signal.signal(signal.SIGALRM, refuse_soon)
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        with redirect_stdout(io.StringIO()) as output:
            status = main(["migrate", *asked_for, "--rate", str(RATE / 2), str(pid), "0", "1"])
        return status, output.getvalue()

    with target([0] * MANY) as process:
        status, output = in_child(lambda: move(process.pid))
        assert 0 < process.counts()[0] < MANY
    assert status == 2
    if asked_for:
        told = json.loads(output)
        assert told["error"]["reason"] == "sandbox"
        assert 0 < told["report"]["moved"] < MANY
    else:
        assert "cancelled" in output
        assert "not-tried" in output


# -- it goes on meanwhile


def test_it_forks() -> None:
    with target([0] * MANY) as process:
        fork = midway(process, lambda: process.process.ask(twin_of_a_target))
        report = Migration(process.pid, 0, 1, rate=RATE, shared=False).run(fork)
        counts = process.counts()
        assert process.intact()
    check_sums(report)
    assert report.outcome == "done"
    assert 0 < counts[0] < MANY
    assert report.total.left["shared"] == report.total.left_behind >= counts[0]


def twin_of_a_target(_: Block) -> None:
    """From now on it shares all pages."""
    fork_a_twin()


class Writer:
    """Memory to which a thread writes all the time, and that knows what it has to hold."""

    def __init__(self, pages: int) -> None:
        self._block = Block([0] * pages)
        self._written: dict[int, bytes] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        addresses = self._block.addresses
        number = 0
        while not self._stop.is_set():
            number += 1
            address = addresses[number * 7919 % len(addresses)]
            content = number.to_bytes(8, "little") * (PAGE // 8)
            ctypes.memmove(address, content, PAGE)
            self._written[address] = content

    def addresses(self) -> range:
        """Of its pages."""
        return self._block.addresses

    def stop(self) -> int:
        """Ends the thread. Returns how many pages it wrote to, which hold what came last."""
        self._stop.set()
        self._thread.join()
        for address, content in self._written.items():
            assert ctypes.string_at(address, PAGE) == content, f"{address:#x}"
        return len(self._written)


@pytest.mark.parametrize("workers", [1, 3])
def test_it_writes_meanwhile(workers: int) -> None:
    with servant(lambda: Writer(MANY)) as child:
        for moves in ({0: 1}, {1: 2, 0: 2}, {2: 3, 3: 2}, {0: 1, 1: 2, 2: 3, 3: 0}):
            report = Migration(child.pid, moves=moves, workers=workers).run(lambda _: None)
            check_sums(report)
            assert report.outcome == "done"
        found = Counter(numa.nodes_of(child.pid, child.ask(Writer.addresses)))
        assert child.ask(Writer.stop) > 0
    assert found == {0: MANY}


class Churner:
    """Threads that map memory, touch it, and take it away, as long as the process lives."""

    def __init__(self) -> None:
        numa.set_policy(numa.PREFERRED, {0})
        self.rounds = [0, 0, 0]
        for i in range(3):
            threading.Thread(target=self._churn, args=[i], daemon=True).start()

    def _churn(self, i: int) -> None:
        while True:
            with mmap.mmap(-1, 64 * PAGE) as memory:
                for offset in range(0, len(memory), PAGE):
                    memory[offset] = 1
            self.rounds[i] += 1

    def count(self) -> int:
        """Rounds so far."""
        return sum(self.rounds)


@pytest.mark.parametrize("watch", [True, False])
def test_it_maps_and_unmaps_meanwhile(watch: bool) -> None:
    with servant(Churner) as child:
        before = child.ask(Churner.count)
        for moves in ({0: 1}, {1: 0}, {0: 1, 1: 0}, {0: 3, 1: 3}):
            report = Migration(child.pid, moves=moves).run((lambda _: None) if watch else None)
            check_sums(report)
            assert report.outcome == "done"
            # Nothing is blamed on balancing, which is off.
            assert "hidden" not in report.total.left
            if watch:
                assert report.methods in (("move_pages",), ())
        assert child.ask(Churner.count) > before


# -- there is no room


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory."""
    fields = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    return int(fields["oom_kill"])


@pytest.mark.parametrize("watch", [True, False])
def test_the_target_node_is_full(watch: bool) -> None:
    kills = oom_kills()
    with full_node(1, 32 << 20):
        pages = too_many_pages(1)
        with target([0] * pages) as process:
            report = Migration(process.pid, 0, 1).run((lambda _: None) if watch else None)
            counts = process.counts()
            assert process.intact()
    check_sums(report)
    assert report.outcome == "done"
    assert oom_kills() == kills
    assert 0 < counts[0] < pages
    assert report.total.left["no-memory"] >= counts[0]
    assert report.by_source[0].left == report.total.left
    assert report.after is not None
    assert report.after.pages(0) == report.total.left_behind + report.appeared


class Neighbours(Apart):
    """Small pages, and huge ones of a pool next to them, all on node 0."""

    def __init__(self) -> None:
        super().__init__()
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB
        place, size = ctypes.c_void_p(self.address + HUGE), ctypes.c_size_t(MANY_HUGE * HUGE)
        _libc.mmap.restype = ctypes.c_void_p
        found = _libc.mmap(place, size, mmap.PROT_WRITE, flags, -1, ctypes.c_long(0))
        assert found == place.value
        with numa.policy(numa.BIND, {0}):
            self.touch(0, SOME)
            self.touch(HUGE // PAGE, MANY_HUGE * HUGE // PAGE)

    def where(self) -> int:
        """Its address."""
        return self.address


def rest_of_the_pools() -> mmap.mmap | None:
    """All huge pages that are free; none where the node was filled with smaller ones."""
    free = re.search(r"HugePages_Free: +(\d+)", Path("/proc/meminfo").read_text())
    assert free
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE
    return mmap.mmap(-1, int(free[1]) * HUGE, flags) if int(free[1]) else None


def test_huge_pages_without_room_keep_no_small_ones_back() -> None:
    with (
        huge_page_pool(0, MANY_HUGE),
        servant(Neighbours) as child,
        full_node(1, 2 * MANY_HUGE // 3 * HUGE),
        idle_process(rest_of_the_pools),
        at_work(child.pid, move_own, NodeMask(0)) as (action, survey),
    ):
        found = stretches_at(survey, child.ask(Neighbours.where))
        counts = counted(*(action.step(stretch, STRETCH // PAGE) for stretch in found))
    if ("hugetlb", "no-memory") not in counts:
        pytest.skip("the kernel has made room for all huge pages; that of the lab, 6.12, does not")
    assert counts["anonymous", "moved"] == counts["anonymous", "asked"] == SOME


def move_own(process: Process) -> Mover:
    """Moves what nobody else maps."""
    return Mover(process, Routes.of_map({0: 1}), shared=False)


def test_its_cpuset_shrinks_midway() -> None:
    with cpuset("0-3") as group, target([0] * MANY) as process:
        (group / "cgroup.procs").write_text(str(process.pid))

        def shrink() -> None:
            (group / "cpuset.mems").write_text("0,2")

        report = Migration(process.pid, 0, 1, rate=RATE).run(midway(process, shrink))
        counts = process.counts()
        assert process.intact()
    check_sums(report)
    assert report.outcome == "done"
    assert report.total.moved > 0
    assert set(report.total.left) == {"not-allowed"}
    # What had moved already the kernel has taken away again, if it does so.
    assert (1 not in counts) == kernels.cpuset_moves_memory()
    assert not report.complete


# -- it may not be moved at all


def test_a_dead_process() -> None:
    with pytest.raises(NoSuchProcess):
        Migration(ended(), 0, 1)


def test_a_zombie() -> None:
    with zombie() as pid, pytest.raises(NoUserMemory):
        Migration(pid, 0, 1).run()


def test_a_kernel_thread() -> None:
    with pytest.raises(NoUserMemory):
        Migration(2, 0, 1).run()


@requires.root
def test_a_process_of_another_user() -> None:
    with idle_process() as pid, pytest.raises(NotPermitted) as caught:
        as_user(NOBODY, lambda: Migration(pid, 0, 1).run())
    assert caught.value.reason == "ptrace"


@requires.root
def test_shared_pages_without_the_privilege() -> None:
    def unprivileged(pid: int) -> Report:
        keep_capabilities(CAP_SYS_PTRACE)
        return Migration(pid, 0, 1, shared=True).run()

    with target([0] * 64) as process:
        with pytest.raises(NotPermitted) as caught:
            in_child(lambda: unprivileged(process.pid))
        assert process.counts() == {0: 64}
    assert caught.value.reason == "shared"


def test_an_absent_node() -> None:
    with target([0] * 64) as process:
        with pytest.raises(NodesRefused):
            Migration(process.pid, moves={0: 9}).run()
        assert process.counts() == {0: 64}


def test_an_absent_source_has_nothing() -> None:
    with target([0] * 64) as process:
        report = Migration(process.pid, moves={9: 1}).run()
        assert process.counts() == {0: 64}
    assert (report.total.asked - report.total.already_there, report.complete) == (0, True)
    check_sums(report)


@requires.bare_node
def test_a_node_without_memory() -> None:
    with target([0] * 64) as process, pytest.raises(NodesRefused) as caught:
        Migration(process.pid, moves={0: 4}).run()
    assert caught.value.reason == "no-memory-node"


def test_a_node_outside_its_cpuset() -> None:
    with cpuset("0-1") as group, target([0] * 64) as process:
        (group / "cgroup.procs").write_text(str(process.pid))
        with pytest.raises(NotPermitted) as caught:
            Migration(process.pid, 0, 2).run()
        assert process.counts() == {0: 64}
    assert caught.value.reason == "cpuset"


@pytest.mark.parametrize("watch", [True, False])
def test_a_handler_that_raises_meanwhile(watch: bool) -> None:
    """As that of Ctrl-C does: what the step has moved until then is in the report."""
    with target([0] * 4 * MANY) as process:

        def interrupted() -> Report:
            operation = Migration(process.pid, 0, 1)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            threading.Thread(target=interrupt, daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                operation.run((lambda _: None) if watch else None)
            return operation.report

        def interrupt() -> None:
            while not process.counts().get(1):
                pass
            os.kill(os.getpid(), signal.SIGINT)

        report = in_child(interrupted)
        there = process.counts()[1]
        assert process.intact()
    check_sums(report)
    assert report.outcome == "cancelled"
    assert report.total.moved >= there > 0
