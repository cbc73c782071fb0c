"""When the memory of a process is looked at, and when it is moved: patience, as a pure function."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymigrate import NodeMask
from pymigrate.jobs.watch import Habits, Watch

HABITS = Habits(settle=5.0, recheck=60.0, threshold=100)
HOME, ELSEWHERE = NodeMask(1), NodeMask(2)


def settled(away: int = 0) -> Watch:
    """Watched since 0, and at home on node 1 at time 5."""
    watch = Watch(HABITS)
    assert watch.at(HOME, 0.0)
    assert not watch.look(away, 0.0)
    return watch


def test_what_is_at_home_is_looked_at_seldom() -> None:
    watch = settled()
    assert not watch.news
    assert [now for now in range(1, 130) if watch.at(HOME, now) and not watch.look(0, now)] == [
        60,
        120,
    ]


def test_memory_follows_when_the_place_has_settled() -> None:
    watch = settled()
    assert watch.at(ELSEWHERE, 10.0)
    assert not watch.look(5000, 10.0)
    assert not watch.at(ELSEWHERE, 14.9)
    assert watch.at(ELSEWHERE, 15.0)
    assert watch.look(5000, 15.0)


def test_a_place_that_changes_again_starts_anew() -> None:
    watch = settled()
    for now in range(10, 100, 4):
        place = NodeMask(now % 8)
        assert watch.at(place, float(now))
        assert not watch.look(5000, float(now))


def test_what_becomes_less_by_itself_is_left_to_whoever_moves_it() -> None:
    watch = settled()
    times = [10.0, 15.0, 20.0, 25.0]
    for now, away in zip(times, [5000, 4000, 3000, 10]):
        assert watch.at(ELSEWHERE, now)
        assert not watch.look(away, now)
    assert not watch.news
    assert not watch.at(ELSEWHERE, 84.0)


def test_and_what_that_has_left_behind_is_moved() -> None:
    watch = settled()
    for now, away in ((10.0, 5000), (15.0, 3000)):
        assert watch.at(ELSEWHERE, now)
        assert not watch.look(away, now)
    assert watch.at(ELSEWHERE, 20.0)
    assert watch.look(2950, 20.0)


def test_what_cannot_be_moved_is_put_up_with() -> None:
    watch = settled()
    watch.moved(left=300, now=5.0)
    assert watch.at(HOME, 65.0)
    assert not watch.look(400, 65.0)
    assert watch.at(HOME, 125.0)
    assert watch.look(401, 125.0)


def test_where_it_does_not_stay_it_is_looked_at_less_and_less_often() -> None:
    watch = settled()
    watch.moved(0, 0.0)
    assert watch.fights == 0
    now, pauses = 0.0, []
    for _ in range(4):
        start = now
        while not watch.at(HOME, now):
            now += 1
        assert watch.look(5000, now)
        watch.moved(0, now)
        pauses.append(now - start)
    assert pauses == [60, 120, 240, 480]
    assert watch.at(ELSEWHERE, now)
    assert watch.fights == 0, "another place is another matter"


def test_a_quiet_time_is_counted_in_its_favour() -> None:
    watch = settled()
    for now in (0.0, 100.0, 300.0):
        watch.moved(0, now)
    assert watch.fights == 2
    assert watch.at(HOME, 600.0)
    assert not watch.look(0, 600.0)
    assert watch.fights == 1


def test_nowhere_is_no_place() -> None:
    watch = Watch(HABITS)
    assert not watch.at(NodeMask(), 0.0)
    assert watch.at(HOME, 1.0)
    assert watch.strange
    watch.at(ELSEWHERE, 2.0)
    assert not watch.strange


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10_000)), max_size=60))
def test_nothing_moves_before_it_has_settled(history: list[tuple[int, int]]) -> None:
    """Whatever happens: only after two looks at the same place, ``settle`` apart."""
    watch = Watch(HABITS)
    since, place = 0.0, None
    for step, (node, away) in enumerate(history):
        now = step * 2.5
        if node != place:
            since, place = now, node
        if watch.at(NodeMask(node), now) and watch.look(away, now):
            assert now - since >= HABITS.settle
            assert away > HABITS.threshold
            watch.moved(0, now)
