"""An answer in any case, for engines inside of programs: others wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes import ended, idle_process

from pymigrate.launchers.inside import answer, wished


def test_processes_are_rows_with_the_ranks_that_they_have() -> None:
    with idle_process() as one, idle_process() as two:
        report, interrupt = answer({one: 3, two: None}, wished(0, 0))
    assert interrupt is None
    assert report.complete
    assert {(row.pid, row.rank) for row in report.ranks} == {(one, 3), (two, None)}


def test_nobody_left_is_the_outcome_of_the_host() -> None:
    report, interrupt = answer({ended(): 0}, wished(0, 0))
    (host,) = report.hosts
    assert interrupt is None
    assert (host.outcome, host.error) == ("failed", "NoSuchProcess")


class Faulty(dict[int, int]):
    """What raises when it is looked at."""

    error: BaseException

    def __iter__(self) -> Iterator[int]:
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("odd"), KeyboardInterrupt()])
def test_whatever_is_raised_is_told_first(error: BaseException) -> None:
    faulty = Faulty()
    faulty.error = error
    report, interrupt = answer(faulty, wished(0, 0))
    (host,) = report.hosts
    assert host.error == type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        assert interrupt is error
        assert (host.outcome, report.status) == ("cancelled", 130)
    else:
        assert interrupt is None
        assert (host.outcome, host.finding, report.status) == ("failed", "odd", 2)
