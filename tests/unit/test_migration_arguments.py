"""Migration refuses what makes no sense before it does anything."""

from __future__ import annotations

from typing import Any

import pytest

from pymigrate import InvalidArgument, Job
from pymigrate.operations.migration import Migration


@pytest.mark.parametrize("name", ["rate", "max_stall"])
@pytest.mark.parametrize(
    "value",
    [
        0,
        0.0,
        -1,
        -0.5,
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        "1",
        b"1",
        True,
        [1],
        1j,
    ],
)
def test_rate_and_max_stall(name: str, value: Any) -> None:
    wishes: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgument, match=name):
        Migration(0, 0, 1, **wishes)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("rate", 1e-300, "1 byte in a second"), ("max_stall", 1e300, "a year at the most")],
)
def test_bounds_that_nobody_can_mean(name: str, value: float, told: str) -> None:
    wishes: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgument, match=rf"{name} \S+: give {told}"):
        Migration(0, 0, 1, **wishes)
    with pytest.raises(InvalidArgument, match=rf"{name} \S+: give {told}"):
        Job(list).migration(0, 1, **wishes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("workers", value) for value in (0, -1, 257, 10**9, 1.5, True, "1", None)]
    + [("retries", value) for value in (-1, 4, 10**9, 1.0, False, "1", None)],
)
def test_workers_and_retries(name: str, value: Any) -> None:
    wishes: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgument, match=name):
        Migration(0, 0, 1, **wishes)


@pytest.mark.parametrize("value", ["yes", 2, -1, 0.5, []])
def test_shared(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="shared"):
        Migration(0, 0, 1, shared=value)


@pytest.mark.parametrize("pid", [-1, True, 1.0, "1", None, 2**31])
def test_pid(pid: Any) -> None:
    with pytest.raises(InvalidArgument, match="pid"):
        Migration(pid, 0, 1)


@pytest.mark.parametrize(
    "nodes",
    [
        {},
        {"old": 0},
        {"new": 0},
        {"old": 0, "new": ""},
        {"old": "x", "new": 0},
        {"old": -1, "new": 0},
        {"old": True, "new": 0},
        {"old": 0, "new": 1, "moves": {0: 1}},
        {"old": 0, "moves": {0: 1}},
        {"moves": {}},
        {"moves": {0: -1}},
        {"moves": {True: 1}},
        {"moves": 5},
        {"moves": "0:1"},
    ],
)
def test_nodes(nodes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Migration(0, **nodes)


def test_there_is_no_report_yet() -> None:
    with pytest.raises(InvalidArgument, match="no report"):
        Migration(0, moves={0: 0}).report  # noqa: B018
