"""Who has answered and who is silent, when to stop, and what is told of those without an answer."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pymigrate import ClusterReport, HostRow
from pymigrate.launchers.conductor import CUT, GO_ON, KILL, ClusterProgress, Conductor
from pymigrate.launchers.frames import frames
from pymigrate.launchers.last_words import LastWords, missing_helper
from pymigrate.launchers.srun_words import said


class Clock:
    """Time, as the test has it."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(time, "monotonic", told)
    return told


def say(conductor: Conductor, host: str, message: dict[str, Any]) -> None:
    for line in frames(host, message):
        conductor.hear(line)


def answer(conductor: Conductor, host: str) -> None:
    report = ClusterReport("migrate", (HostRow(host, processes=2),))
    say(conductor, host, {"report": report.to_dict()})


def told(conductor: Conductor) -> dict[str, tuple[str, str]]:
    return {row.host: (row.outcome, row.finding) for row in conductor.report().hosts}


def test_who_says_that_it_lives_is_waited_for(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1", "h2"], 10)
    for _ in range(100):
        clock.now += 9
        say(conductor, "h1", {"progress": [0, 0]})  # h2 is silent, and h1 works
        assert conductor.orders() == GO_ON
    answer(conductor, "h1")
    assert conductor.orders() == CUT  # only now is nobody left but h2
    clock.now += 2
    assert conductor.orders() == KILL
    assert told(conductor) == {"h1": ("done", ""), "h2": ("silent", "no answer within 10 s")}


def test_why_the_engine_waits_is_told_of_whom_it_has_not_begun_with(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1", "h2"], 10)
    say(conductor, "h1", {"progress": [0, 0]})
    clock.now += 11
    assert conductor.orders() == CUT
    rows = conductor.report(lambda host: f"the nodes of {host} are busy").hosts
    assert [row.finding for row in rows] == [
        "no answer within 10 s",
        "no answer within 10 s: the nodes of h2 are busy",
    ]


def test_a_cancel_leaves_time_to_answer(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1", "h2"], 60)
    conductor.cancel()
    assert conductor.orders() == CUT
    clock.now += 5
    answer(conductor, "h1")
    assert conductor.orders() == CUT
    clock.now += 6
    assert conductor.orders() == KILL
    report = conductor.report()
    assert [row.outcome for row in report.hosts] == ["done", "cancelled"]
    assert report.status == 130


def test_an_engine_that_lingers_is_ended(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1"], 60)
    answer(conductor, "h1")
    assert conductor.orders() == GO_ON
    clock.now += 6
    assert conductor.orders() == KILL


def test_who_waits_for_its_turn_is_not_silent(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1", "h2"], 10, at_once=False)
    conductor.started("h1")
    clock.now += 11
    assert conductor.orders() == GO_ON
    conductor.started("h2")
    clock.now += 11
    assert conductor.orders() == CUT


def test_a_silent_host_is_stopped_by_itself_while_others_wait_for_their_turn(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1", "h2", "h3"], 10, at_once=False)
    for host in ("h1", "h2"):
        conductor.started(host)
    clock.now += 9
    say(conductor, "h2", {"progress": [0, 0]})
    clock.now += 2
    assert list(conductor.orders_of_each()) == [("h1", CUT)]
    assert list(conductor.orders_of_each()) == []
    clock.now += 2
    assert list(conductor.orders_of_each()) == [("h1", KILL)]
    assert conductor.orders() == GO_ON
    conductor.ended("h1", "it waits for a license")
    for host in ("h2", "h3"):
        answer(conductor, host)
    silent = ("silent", "no answer within 10 s: it waits for a license")
    assert told(conductor) == {"h1": silent, "h2": ("done", ""), "h3": ("done", "")}


def test_a_cancel_tells_who_was_not_begun_with() -> None:
    conductor = Conductor("migrate", ["h1", "h2"], 10, at_once=False)
    conductor.started("h1")
    conductor.cancel()
    assert told(conductor) == {
        "h1": (
            "cancelled",
            "stopped before it answered: what has been done there is not known",
        ),
        "h2": ("cancelled", "not begun with"),
    }


def test_the_first_answer_counts_and_strangers_do_not() -> None:
    conductor = Conductor("migrate", ["h1"], 10)
    answer(conductor, "h1")
    answer(conductor, "h1")
    answer(conductor, "h9")
    assert [row.processes for row in conductor.report().hosts] == [2]


def test_a_host_goes_by_the_name_that_others_have_for_it() -> None:
    conductor = Conductor("migrate", ["gpu1.example"], 10)
    report = ClusterReport("migrate", (HostRow("gpu1"),))
    for line in frames("gpu1", {"report": report.to_dict()}):
        conductor.hear(line, "gpu1.example")
    assert told(conductor) == {"gpu1.example": ("done", "")}


def test_progress_adds_up() -> None:
    steps: list[ClusterProgress] = []
    conductor = Conductor("migrate", ["h1", "h2"], 10, steps.append)
    say(conductor, "h1", {"progress": [10, 100]})
    say(conductor, "h2", {"progress": [1, 50]})
    say(conductor, "h1", {"progress": [90, 100]})
    answer(conductor, "h2")
    assert steps[-2:] == [ClusterProgress(2, 0, 91, 150), ClusterProgress(2, 1, 91, 150)]


def test_who_answers_when_it_was_given_up_is_told_so(clock: Clock) -> None:
    conductor = Conductor("migrate", ["h1"], 10)
    clock.now += 11
    assert conductor.orders() == CUT
    row = HostRow("h1", "cancelled", processes=2)
    say(conductor, "h1", {"report": ClusterReport("migrate", (row,)).to_dict()})
    (row,) = conductor.report().hosts
    assert (row.outcome, row.processes) == ("silent", 2)
    assert row.finding.startswith("said nothing for 10 s and was stopped")


@pytest.mark.parametrize("progress", [None, 3, [1], [1, 2, 3], ["1", "2"], [None, None]])
def test_progress_of_another_release_is_a_sign_of_life(progress: object) -> None:
    conductor = Conductor("migrate", ["h1"], 10)
    say(conductor, "h1", {"progress": progress})
    assert conductor.begun
    answer(conductor, "h1")
    assert told(conductor) == {"h1": ("done", "")}


@pytest.mark.parametrize(
    "change",
    [
        {"elapsed_seconds": None},
        {"hosts": [{**HostRow("h1").to_dict(), "nodes": {"first": 1}}]},
        {"hosts": [{**HostRow("h1").to_dict(), "colour": "red"}]},
        {"hosts": 3},
    ],
)
def test_an_answer_of_another_release_is_a_row(change: dict[str, object]) -> None:
    conductor = Conductor("migrate", ["h1"], 10)
    report = ClusterReport("migrate", (HostRow("h1"),)).to_dict()
    say(conductor, "h1", {"report": {**report, **change}})
    (row,) = conductor.report().hosts
    assert (row.outcome, row.error) == ("failed", "InvalidArgument")


def test_who_ends_without_an_answer_has_failed_or_was_stopped() -> None:
    """Whoever has pressed Ctrl-C is given no advice on where pymigrate may be."""
    conductor = Conductor("migrate", ["h1"], 10)
    conductor.ended("h1", "exit status 1: python3: No module named pymigrate")
    ((outcome, finding),) = told(conductor).values()
    assert outcome == "failed"
    assert finding.startswith("exit status 1: python3: No module named pymigrate; is the same rel")
    conductor = Conductor("migrate", ["h1"], 10)
    conductor.ended("h1", "exit status 1: ImportError: of another kind")
    assert told(conductor) == {"h1": ("failed", "exit status 1: ImportError: of another kind")}
    conductor = Conductor("migrate", ["h1"], 10)
    conductor.cancel()
    conductor.ended("h1", "exit status 143")
    ((outcome, finding),) = told(conductor).values()
    assert outcome == "cancelled"
    assert finding == "stopped before it answered: what has been done there is not known"


def test_an_error_without_words_has_its_name() -> None:
    assert HostRow.failed("h1", MemoryError()).finding == "MemoryError"


HOSTS = [f"h{number}" for number in range(1, 12)]
WORDS = """\
 0: Traceback (most recent call last):
 0:   File "/some/where", line 1, in <module>
 1: slurmstepd-h2: error: execve(): /no/such/pymigrate: No such file or directory
10: \x20
 0: ImportError: of host 1
srun: error: h2: task 1: Exited with exit code 2
srun: error: h[1,3-4]: tasks 0,2-3: Exited with exit code 1
srun: error: h10: task 9: Out Of Memory
srun: error: Node failure on h5
srun: error: Timed out waiting for job step to complete"""


def heard(lines: str = WORDS) -> LastWords:
    words = LastWords(lambda line: said(line, HOSTS, [HOSTS]))
    for line in lines.splitlines():
        words.take(line)
    return words


def test_the_words_of_a_host_and_about_it() -> None:
    words = heard()
    assert words.about("h1") == "Exited with exit code 1: ImportError: of host 1"
    assert words.about("h2").startswith("Exited with exit code 2: slurmstepd-h2: error: execve()")
    assert words.about("h4") == "Exited with exit code 1"
    assert words.about("h5") == "srun: error: Node failure on h5"
    assert words.about("h10") == "Out Of Memory"
    assert words.about("h11") == "srun: error: Timed out waiting for job step to complete"
    assert words.of_hosts


def test_components_count_their_tasks_from_0() -> None:
    """As srun of Slurm 22.05 does in what it says itself, but not in labels."""
    crews = [["h1", "h2"], ["h3", "h4"]]
    hosts = ["h1", "h2", "h3", "h4"]
    assert said("2: odd", hosts, crews).host == "h3"
    ended = said("srun: error: h3: task 0: Exited with exit code 4", hosts, crews)
    assert (ended.text, ended.ended) == ("Exited with exit code 4", ["h3"])
    assert said("srun: error: h[3-4]: tasks 0-1: Killed", hosts, crews).ended == []


LOST = """\
srun: error: Task launch for StepId=7.1 failed on node h2: Communication connection failure
srun: error: Application launch failed: Communication connection failure
 3: odd
srun: error: h4: task 3: Exited with exit code 3
srun: Job step aborted: Waiting up to 32 seconds for job step to finish.
 0: slurmstepd-h1: error: *** STEP 7.1 ON h1 CANCELLED AT 2026-11-27T05:04:48 ***
srun: error: h1: task 0: Killed"""


def test_one_host_that_is_not_reached_and_those_that_are_ended_for_it() -> None:
    """As Slurm 22.05 does, whatever it is told: in its words, but for those of h4."""
    words = heard(LOST)
    why = "Task launch for StepId=7.1 failed on node h2: Communication connection failure"
    ended = f"ended as another host failed, and what has been done is not known: {why}"
    assert words.about("h2") == why
    assert words.about("h1") == words.about("h3") == ended
    assert words.about("h4") == "Exited with exit code 3: odd"


def test_nobody_has_said_anything() -> None:
    words = LastWords(lambda line: said(line, HOSTS, [HOSTS]))
    words.take("srun: error: Unable to create step for job 7: Access/permission denied")
    assert not words.of_hosts
    assert LastWords(lambda line: said(line, HOSTS, [HOSTS])).about("h1") == ""


def test_no_pymigrate_on_the_hosts() -> None:
    error = missing_helper(["/no/such/pymigrate"], str(heard()))
    assert error
    assert error.reason == "no-helper"
    assert "execve(): /no/such/pymigrate: No such file or directory" in str(error)
    assert missing_helper(["pymigrate"], WORDS.splitlines()[-1]) is None
