"""A second look after an operation: at the same memory, or at none."""

from __future__ import annotations

import os
import signal

import pytest
from support.processes import about_to_exec, idle_process

from pymigrate import Migration, NodeMask, NoSuchProcess
from pymigrate.errors import NoUserMemory

HERE = NodeMask.has_memory()


def test_twice_with_nothing_to_see() -> None:
    with idle_process() as pid:
        migration = Migration(pid, HERE, HERE)
        assert migration.run().bounced is None
        assert [migration.look_again().bounced for _ in range(2)] == [0, 0]


def test_another_program_runs() -> None:
    with about_to_exec() as (pid, go):
        migration = Migration(pid, HERE, HERE)
        migration.run()
        go()
        with pytest.raises(NoSuchProcess) as caught:
            migration.look_again()
    assert caught.value.reason == "replaced"
    assert migration.report.bounced is None


def test_a_zombie() -> None:
    with idle_process() as pid:
        migration = Migration(pid, HERE, HERE)
        migration.run()
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(NoUserMemory):
            migration.look_again()
