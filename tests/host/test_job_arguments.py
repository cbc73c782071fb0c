"""Jobs take what single operations take, and refuse what these refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import requires
from support.processes import idle_process

from pymigrate import InvalidType, Job, relocate


def test_nodes_that_can_be_asked_for_once_serve_all_processes() -> None:
    with idle_process() as one, idle_process() as two:
        job = Job.of([one, two])
        moved = job.migration(iter([0]), iter([0])).run()
        checked = job.check(iter([0]), iter([0]))
    for pid in (one, two):
        assert moved.reports[pid].total.already_there
        assert checked.processes[pid].verdicts


@requires.nice
def test_nodes_that_can_be_asked_for_once_serve_evictions_of_all_processes() -> None:
    with idle_process() as one, idle_process() as two:
        job = Job.of([one, two])
        evicted = job.eviction(iter([0]), (), without_swap=True).run()
        needed = job.check_eviction(iter([0]), iter([]))
    for pid in (one, two):
        assert evicted.reports[pid].total.asked
        assert "0 B" not in str(needed.processes[pid]).partition("swap")[0]


@pytest.mark.parametrize("wishes", [{"mems": {0: 1}}, {"mems": 0, "cpus": {0: 1}}])
def test_a_map_is_no_node_set(tmp_path: Path, wishes: dict[str, Any]) -> None:
    with pytest.raises(InvalidType, match="a map is no node set"):
        relocate(str(tmp_path), **wishes)
