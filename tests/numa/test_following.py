"""Memory comes home, once or again and again; and nothing happens where all is at home."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Callable

import pytest
from support import kernels, numa, requires
from support.cpuset import cpuset, enter
from support.memory import PAGE, Target, target
from support.pids import bury, hold_still, mortal

from pymigrate import (
    Followed,
    Follower,
    InvalidArgument,
    Job,
    NodeMask,
    NoUserMemory,
    Residency,
    follow,
    home,
    migrate,
    residency,
)

pytestmark = [pytest.mark.numa, requires.root, pytest.mark.usefixtures("calm")]

MANY = 2048
INTERVAL = 5.0


def run_on(cpu: int) -> None:
    """Binds this process to a CPU; on the machine of the tests the node has the same number."""
    os.sched_setaffinity(0, {cpu})


def away(pid: int, node: int) -> int:
    (found,) = Job.of([pid]).residency().values()
    return found.pages() - found.pages(node)


# -- one shot


def test_where_it_may_run() -> None:
    with target([0, 1, 2, 3] * 100, lambda: run_on(2)) as process:
        hold_still(process.pid)
        report = home(process.pid)
        assert away(process.pid, 2) == 0  # before it is asked: it then maps more of its libraries
        assert process.counts() == {2: 400}
        assert process.intact()
    assert report.complete
    assert report.total.moved >= 300


def test_who_may_run_anywhere_is_at_home_everywhere() -> None:
    with target([0, 1, 2, 3] * 100) as process:
        report = home(process.pid)
        assert process.counts() == dict.fromkeys(range(4), 100)
    assert report.complete
    assert report.total.moved == 0


def test_where_it_ran() -> None:
    def prepare() -> None:
        run_on(1)
        burn()
        os.sched_setaffinity(0, range(4))

    with target([0, 3] * 100, prepare) as process:
        hold_still(process.pid)  # one that is about to sleep may still change its processor
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        report = home(process.pid, by="ran")
        assert process.counts() == {int(fields[36]): 200}
    assert report.complete


def burn() -> None:
    """Uses CPU time that is seen: some clock ticks."""
    start = os.times()
    while sum(os.times()[:2]) - sum(start[:2]) < 0.05:
        pass


def test_every_process_to_its_own_place() -> None:
    with target([3] * 100, lambda: run_on(1)) as one, target([3] * 100, lambda: run_on(2)) as two:
        assert home(Job.of([one.pid, two.pid]), shared=False).outcome == "done"
        assert (one.counts(), two.counts()) == ({1: 100}, {2: 100})


def test_the_nearest_within_the_cpuset() -> None:
    """It runs on node 3, where it may have no memory."""
    with cpuset("0-1") as group:

        def prepare() -> None:
            enter(group)
            run_on(3)

        with target([0, 1] * 100, prepare) as process:
            home(process.pid)
            (node,) = process.counts()
            assert node in (0, 1)


def test_the_node_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pymigrate.jobs.homeward.device_node", {"eth7": 3}.__getitem__)
    with target([0, 1] * 100) as process:
        assert home(process.pid, device="eth7").complete
        assert process.counts() == {3: 200}


# -- following


class Script:
    """In place of waiting: each wait does the next step, and time passes; the last ends it all."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = list(steps)
        self.now = 0.0

    def wait(self, seconds: float) -> bool:
        """Called between two looks, and within a migration with 0 seconds."""
        if not seconds:
            return False
        self.now += seconds
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False

    def clock(self) -> float:
        """The time."""
        return self.now


def nothing() -> None:
    """A step in which nothing happens."""


def followed(job: Job | int, *steps: Callable[[], object], **wishes: Any) -> list[Followed]:
    script = Script(*steps)
    told: list[Followed] = []
    wishes = {"interval": INTERVAL, "settle": INTERVAL, "share": 1.0, **wishes}
    follow(job, tell=told.append, wait=script.wait, clock=script.clock, **wishes)
    return told


def bind(process: Target, cpu: int) -> Callable[[], None]:
    """A step in which somebody else binds a process, as taskset(1) does."""
    return lambda: os.sched_setaffinity(process.pid, {cpu})


def test_memory_comes_home_after_it_was_bound() -> None:
    with target([0] * MANY, lambda: run_on(0)) as process:
        home(process.pid)
        (event,) = followed(process.pid, nothing, bind(process, 3), nothing, nothing, nothing)
        assert process.counts() == {3: MANY}
        assert process.intact()
        assert away(process.pid, 3) == 0
    assert event.kind == "moved"
    assert event.places == {process.pid: NodeMask(3)}
    assert event.report is not None
    assert event.report.complete
    assert event.report.total.moved >= MANY
    assert not event.fighting


def test_who_is_bound_to_and_fro_is_left_alone() -> None:
    with target([0] * MANY, lambda: run_on(0)) as process:
        home(process.pid)
        steps = [bind(process, cpu) for cpu in (1, 2, 3, 2, 1, 3)]
        assert followed(process.pid, *steps) == []
        assert process.counts() == {0: MANY}


def test_quiet_where_all_is_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is looked at once, and then every ``recheck`` seconds only."""
    looks: list[int] = []

    def look(pid: int) -> Residency:
        looks.append(pid)
        return residency(pid)

    monkeypatch.setattr("pymigrate.jobs.following.residency", look)
    with target([1] * MANY, lambda: run_on(1)) as process:
        home(process.pid)
        assert followed(process.pid, *[nothing] * 50, recheck=100.0) == []
        assert looks == [process.pid] * 3  # 50 looks of 5 s: after 0, 100 and 200 s
        assert process.counts() == {1: MANY}


def test_what_the_kernel_moves_is_not_moved_again() -> None:
    with cpuset("0") as group, target([0] * MANY, lambda: enter(group)) as process:
        home(process.pid)

        def change() -> None:
            (group / "cpuset.mems").write_text("2")

        (event,) = followed(Job.cgroup(str(group)), nothing, change, nothing, nothing)
        assert process.counts() == {2: MANY}
    assert event.places == {process.pid: NodeMask(2)}
    if not kernels.cpuset_moves_memory():
        assert event.kind == "moved"
        return
    assert event.kind == "there"
    assert event.report is None
    assert str(event).endswith(f"pid {process.pid} on 2: memory is there already")


def test_what_the_kernel_leaves_is_moved() -> None:
    with cpuset("0-1") as group, target([0, 1] * MANY, lambda: enter(group)) as process:
        migrate(process.pid, 0, 3)

        def change() -> None:
            (group / "cpuset.mems").write_text("2")
            moved_to = 2 if kernels.cpuset_moves_memory() else 1
            assert process.counts() == {moved_to: MANY, 3: MANY}

        events = followed(Job.cgroup(str(group)), change, nothing, nothing, nothing)
        assert process.counts() == {2: 2 * MANY}
    assert [event.kind for event in events] == ["moved"]


def test_where_memory_does_not_stay_it_is_tried_less_and_less_often() -> None:
    """Whoever moves it away time and again is not fought to the last."""
    with target([1] * MANY, lambda: run_on(1)) as process:
        home(process.pid)
        steps = [lambda: migrate(process.pid, 1, 2)] * 100
        events = followed(process.pid, *steps, recheck=10.0)
    # Found at 5 s or, as it is settled, at 10; then after 10, 20, 40, 80, 160 s; 505 s are over.
    assert [event.kind for event in events] == ["moved"] * len(events)
    assert 4 <= len(events) <= 7
    assert not events[0].fighting
    assert all(event.fighting == (process.pid,) for event in events[1:])
    assert "looking less often" in str(events[-1])


def test_a_little_is_put_up_with() -> None:
    with target([1] * MANY, lambda: run_on(1)) as process:
        home(process.pid)
        numa.move_pages(process.pid, process.addresses[:200], [0] * 200)
        assert followed(process.pid, nothing, nothing, nothing) == []
        assert process.counts() == {0: 200, 1: MANY - 200}
        (event,) = followed(process.pid, nothing, nothing, threshold=199 * PAGE)
        assert process.counts() == {1: MANY}
    assert event.kind == "moved"


def test_never_more_than_a_share_of_the_time() -> None:
    with target([0] * MANY, lambda: run_on(0)) as process:
        home(process.pid)
        there_and_back = [step for cpu in (1, 2, 3) for step in (bind(process, cpu), nothing)]
        waiting = [nothing] * 10
        events = followed(process.pid, *there_and_back, *waiting, share=1e-9)
        assert [event.places[process.pid] for event in events] == [NodeMask(1)]


def test_it_ends_with_its_job() -> None:
    with mortal() as pid:
        done = threading.Event()
        assert followed(pid, nothing, lambda: bury(pid), done.set, done.set) == []
        assert not done.is_set()


def test_a_zombie_is_no_job() -> None:
    with mortal() as pid:
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(NoUserMemory):
            Follower(pid)


def test_it_can_be_stopped() -> None:
    with target([0] * MANY, lambda: run_on(2)) as process:
        follower = Follower(process.pid, interval=3600.0)
        stopper = threading.Thread(target=follower.stop)
        ended = threading.Thread(target=lambda: list(follower))
        ended.start()
        stopper.start()
        ended.join(60)
        assert not ended.is_alive()
        stopper.join()


def test_it_can_be_stopped_in_a_migration() -> None:
    with target([0] * MANY, lambda: run_on(2)) as process:
        script = Script(*[nothing] * 10)
        rate = float(MANY * PAGE / 4)

        def wait(seconds: float) -> bool:
            return script.wait(seconds) if seconds else True

        events = list(
            Follower(
                process.pid, settle=1.0, rate=rate, shared=False, wait=wait, clock=script.clock
            )
        )
        assert 0 in process.counts()
    assert [event.report and event.report.outcome for event in events] == ["cancelled"]


@pytest.mark.parametrize(
    "wishes",
    [{"by": "luck"}, {"interval": 0}, {"share": 2}, {"workers": 0}, {"rate": -1}, {"recheck": 0}],
)
def test_what_makes_no_sense(wishes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Follower(os.getpid(), **wishes)
