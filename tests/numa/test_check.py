"""What --dry-run says would move is what a migration is asked to move."""

from __future__ import annotations

import mmap

import pytest
from support import requires
from support.memory import target
from support.pids import hold_still
from support.processes import idle_process

from pymigrate import Migration, check

pytestmark = [pytest.mark.numa, requires.root]


def map_device() -> mmap.mmap:
    with open("/dev/mem", "rb") as file:  # of which the first MiB may be looked at
        return mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ)


def test_memory_of_a_device() -> None:
    for prepare, state in ((map_device, "warning"), (lambda: None, "ok")):
        with idle_process(prepare) as pid:
            verdicts = {verdict.name: verdict for verdict in check(pid, 0, 1).verdicts}
        assert verdicts["device-memory"].state == state
        assert ("(/dev/mem)" in verdicts["device-memory"].finding) == (state == "warning")


def test_what_would_move() -> None:
    with target([0] * 8 + [1] * 4) as process:
        hold_still(process.pid)
        moves = {0: 2, 1: 3}
        planned = check(process.pid, moves=moves).moves
        report = Migration(process.pid, moves=moves).run()
    assert [(move.source, move.target) for move in planned] == [(0, 2), (1, 3)]
    asked = [report.by_source[move.source].asked for move in planned]
    assert [move.pages for move in planned] == asked
    assert min(asked) >= 4
