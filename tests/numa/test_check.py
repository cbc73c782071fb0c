"""What --dry-run says would move is what a migration is asked to move."""

from __future__ import annotations

import pytest
from support import requires
from support.memory import target

from pymigrate import Migration, check

pytestmark = [pytest.mark.numa, requires.root]


def test_what_would_move() -> None:
    with target([0] * 8 + [1] * 4) as process:
        moves = {0: 2, 1: 3}
        planned = check(process.pid, moves=moves).moves
        report = Migration(process.pid, moves=moves).run()
    assert [(move.source, move.target) for move in planned] == [(0, 2), (1, 3)]
    asked = [report.by_source[move.source].asked for move in planned]
    assert [move.pages for move in planned] == asked
    assert min(asked) >= 4
