"""What following has to tell: one line for a log, one object for programs."""

from __future__ import annotations

import errno
import json

from pymigrate import Followed, JobReport, NodeMask, NotPermitted

MIDNIGHT = 86_400.0


def report(failures: dict[int, NotPermitted]) -> JobReport:
    return JobReport("migrate", "done", True, 0.5, {}, dict(failures), ())


def test_memory_that_is_there() -> None:
    event = Followed(MIDNIGHT, "there", {17: NodeMask(2)})
    assert str(event) == "1970-01-02T00:00:00Z pid 17 on 2: memory is there already"
    assert json.loads(event.to_json()) == {
        "time": MIDNIGHT,
        "kind": "there",
        "places": {"17": "2"},
        "report": None,
        "fighting": [],
        "balancing": False,
        "refused": [],
    }


def test_memory_that_moved() -> None:
    refused = NotPermitted(errno.EPERM, "it runs as uid 5", pid=18)
    places = {17: NodeMask(2), 18: NodeMask("0-1")}
    event = Followed(MIDNIGHT, "moved", places, report({18: refused}), (17,), True)
    assert str(event) == (
        "1970-01-02T00:00:00Z 2 processes on 0-2: moved 0 B in 0.500 s; "
        "pid 18: it runs as uid 5; memory of 17 had not stayed (kernel.numa_balancing is on): "
        "looking less often"
    )
    assert "\n" not in event.to_json()
    assert json.loads(event.to_json())["report"]["failures"][0]["pid"] == 18
