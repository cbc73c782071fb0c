"""Real moves between two nodes by every call, and which machine it was that they were seen on."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Callable

import pytest
from support.accounts import check_idle
from support.memory import target
from support.pids import hold_still

from pymigrate import Migration, NodeMask, migrate, residency

pytestmark = [pytest.mark.numa, pytest.mark.usefixtures("calm")]

SOME = 500


def test_where_this_runs(record_property: Callable[[str, object], None]) -> None:
    assert len(NodeMask.has_memory()) >= 2
    facts = {
        "machine": os.uname().machine,
        "kernel": os.uname().release,
        "page": os.sysconf("SC_PAGESIZE"),
        "bits": sys.maxsize.bit_length() + 1,
        "byteorder": sys.byteorder,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    record_property("platform", json.dumps(facts))


def test_the_single_call() -> None:
    with target([0, 1] * SOME) as process:
        before = residency(process.pid)
        assert migrate(process.pid, 0, 1) == 0
        change = residency(process.pid) - before
        assert process.counts() == {1: 2 * SOME}
        assert change.pages(1, "anonymous") == -change.pages(0, "anonymous") >= SOME
        assert migrate(process.pid, 1, 0) == 0
        assert process.counts() == {0: 2 * SOME}
        assert process.intact()


@pytest.mark.parametrize("moves", [{0: 1}, {0: 1, 1: 0}])
def test_a_managed_migration(moves: dict[int, int]) -> None:
    layout = [0] * SOME + [1] * SOME + [0, 1] * SOME
    with target(layout) as process:
        hold_still(process.pid)
        report = Migration(process.pid, moves=moves).run(lambda _: None)
        assert process.nodes() == [moves.get(node, node) for node in layout]
        assert process.intact()
    assert report.methods == ("move_pages",)
    assert report.complete, report.to_json()
    check_idle(report)
