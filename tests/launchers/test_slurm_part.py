"""Which of the processes that slurmd lists are work of the job: real ones, by a stand-in for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import requires
from support.credentials import NOBODY, become, set_dumpable
from support.pids import fork_a_twin
from support.processes import idle_process, servant

from pymigrate.launchers.slurm_part import SlurmPart


@pytest.fixture
def listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose lines are what scontrol lists."""
    lines, scontrol = folder / "lines", folder / "scontrol"
    scontrol.write_text(f"#!/bin/sh\ncat {lines}\n")
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lines


def called(name: str, uid: int = 0, *, dumpable: bool = False) -> None:
    """Gives this process a name, and an owner."""
    Path("/proc/self/comm").write_text(name)
    if uid:
        become(uid)
        set_dumpable(dumpable)


@requires.root
@pytest.mark.parametrize(
    ("step", "name", "uid", "dumpable", "work"),
    [
        ("extern", "sshd", 0, False, False),
        ("extern", "sshd-session", NOBODY, False, False),  # root's once, so nobody may look
        ("extern", "sshd", NOBODY, True, True),  # somebody's own
        ("extern", "bash", NOBODY, True, True),
        ("extern", "bash", 0, False, True),
        ("0", "sshd", 0, False, True),
        ("0", "slurmstepd", 0, False, False),
    ],
)
def test_the_way_in_of_a_login_is_no_work(
    listed: Path, step: str, name: str, uid: int, dumpable: bool, work: bool
) -> None:
    """Which pam_slurm_adopt(8) puts into the step that keeps the job's place on the host."""
    with idle_process(lambda: called(name, uid, dumpable=dumpable)) as pid:
        listed.write_text(
            f"PID JOBID STEPID LOCALID GLOBALID\n-1 7 {step} 0 0\n{pid} 7 {step} - -\n"
        )
        assert SlurmPart("7").job().pids() == [pid] * work


def manager_of_one() -> int:
    """Makes this process the manager of a step, and starts one in it."""
    called("slurmstepd")
    return fork_a_twin(lambda: called("sleep"))


@requires.root
@pytest.mark.parametrize(("step", "work"), [("extern", False), ("0", True)])
def test_what_slurm_itself_has_in_that_step_is_no_work(listed: Path, step: str, work: bool) -> None:
    with servant(manager_of_one) as manager:
        child = manager.ask(int)
        listed.write_text(f"{child} 7 {step} - -\n")
        assert SlurmPart("7").job().pids() == [child] * work
