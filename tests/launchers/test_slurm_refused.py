"""What is refused of jobs of Slurm, before anything is started: one clear line each."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from support.job_command import COMMAND, answer
from support.slurm import Slurm, wait_for

from pymigrate import NoSuchJob
from pymigrate.launchers.slurm import SlurmJob


def refused(cluster: Slurm, *arguments: str) -> dict[str, Any]:
    error: dict[str, Any] = answer(cluster, *arguments, status=2)["error"]
    return error


def test_jobs_that_are_not_there(cluster: Slurm, job: str) -> None:
    error = refused(cluster, "slurm:99999", "0", "0")
    assert (error["type"], error["reason"]) == ("NoSuchJob", "unknown")
    error = refused(cluster, f"slurm:{job}.7", "0", "0")
    assert (error["type"], error["reason"]) == ("NoSuchJob", "unknown")
    assert f"it has {job}.0" in error["message"]
    error = refused(cluster, "slurm:soon", "0", "0")
    assert error["type"] == "InvalidArgument"


def test_a_job_that_has_ended_or_waits(cluster: Slurm) -> None:
    with cluster.job(1, 1, "sleep", "1000") as ended:
        hold = ("sbatch", "--parsable", "--hold", "-N1", "-o", "/dev/null", "--wrap", "true")
        waiting = cluster.run(*hold).stdout.strip()
    error = refused(cluster, f"slurm:{ended}", "0", "0")
    assert (error["type"], error["reason"]) == ("NoSuchJob", "ended")
    error = refused(cluster, f"slurm:{waiting}", "0", "0")
    cluster.run("scancel", waiting)
    assert (error["type"], error["reason"]) == ("NoSuchJob", "pending")
    assert "does not run yet: PENDING (JobHeldUser)" in error["message"]


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("REQUEUE_HOLD", "pending", "does not run yet: REQUEUE_HOLD (held)"),
        ("SPECIAL_EXIT", "pending", "does not run yet: SPECIAL_EXIT (held)"),
        ("STAGE_OUT", "ended", "is ending: STAGE_OUT"),
        ("NODE_FAIL", "ended", "has ended: NODE_FAIL"),
        ("EXPEDITING", "unknown", "is in the state EXPEDITING; try again when squeue(1) says"),
    ],
)
def test_states_in_which_no_step_can_be_joined(
    folder: Path, monkeypatch: pytest.MonkeyPatch, state: str, reason: str, told: str
) -> None:
    """By a stand-in for squeue, as most of them pass too soon."""
    squeue = folder / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '7|{state}|h1|7|held'\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(NoSuchJob) as raised:
        SlurmJob("7").find()
    assert raised.value.reason == reason
    assert f"Slurm job 7 {told}" in str(raised.value)


def test_a_job_that_is_stopped_has_its_memory(cluster: Slurm) -> None:
    """By SIGSTOP, which Slurm tells apart from a job that is suspended."""
    sleep = ("--ntasks=1", "--output=/dev/null", "--wrap", "sleep 1000")
    with cluster.running("sbatch", *sleep) as (stopped,):
        cluster.run("scancel", "--batch", "--signal=STOP", stopped)
        state = ("squeue", "--noheader", f"--jobs={stopped}", "--format=%T")
        wait_for(lambda: cluster.run(*state).stdout.strip() == "STOPPED")
        report = answer(cluster, f"slurm:{stopped}", "0", "0")
        cluster.run("scancel", "--batch", "--signal=CONT", stopped)
    assert report["complete"]
    assert report["processes"] > 0


def test_a_job_without_a_step(cluster: Slurm) -> None:
    """An allocation in which nothing runs: that nothing was done is no success."""
    with cluster.running("salloc", "--no-shell", "-N2", "-n2") as (empty,):
        error = refused(cluster, f"slurm:{empty}", "0", "0")
    assert (error["type"], error["reason"]) == ("NoSuchJob", "unknown")
    assert f"no process of slurm:{empty} was found on its hosts" in error["message"]


def test_a_suspended_job(cluster: Slurm) -> None:
    """Slurm would have srun wait until it is resumed."""
    with cluster.job(1, 1, "sleep", "1000") as stopped:
        (task,) = cluster.tasks(stopped)
        cluster.run("scontrol", "suspend", stopped)
        try:
            error = refused(cluster, f"slurm:{stopped}", "0", "0")
        finally:
            cluster.run("scontrol", "resume", stopped)
        assert (error["type"], error["reason"]) == ("JobRefused", "suspended")
        assert f"scontrol resume {stopped}; or" in error["message"]
        assert error["message"].endswith(f"--hosts {task[0]}")
        assert answer(cluster, f"slurm:{stopped}", "0", "0")["processes"] == 1


def test_root_may_not_join_the_job_of_another(cluster: Slurm) -> None:
    with cluster.job(1, 1, "sleep", "1000", user="nobody") as theirs:
        (task,) = cluster.tasks(theirs)
        error = refused(cluster, f"slurm:{theirs}", "0", "0")
    assert (error["type"], error["reason"]) == ("JobRefused", "not-yours")
    assert f"--hosts {task[0]}" in error["message"]


@pytest.fixture
def readable(cluster: Slurm) -> None:
    """An interpreter that other users may run."""
    # By a shell, as exec by setpriv itself would have the capabilities of root still.
    look = f"{sys.executable} -c 'import pymigrate'"
    if cluster.run("sh", "-c", look, user="nobody", check=False).returncode:
        pytest.skip("other users may not read this interpreter: test in a folder that they may")


@pytest.mark.usefixtures("readable")
def test_a_hidden_partition(cluster: Slurm) -> None:
    """Its owner finds a step that squeue lists with --all alone."""
    hide = ("scontrol", "update", "partitionname=all")
    with cluster.job(1, 1, "sleep", "1000", user="nobody") as own:
        cluster.run(*hide, "hidden=yes")
        try:
            report = answer(cluster, f"slurm:{own}.0", "0", "0", user="nobody")
        finally:
            cluster.run(*hide, "hidden=no")
    assert (report["complete"], report["processes"]) == (True, 1)


@pytest.mark.usefixtures("readable")
def test_users_have_their_own_jobs_and_no_others(cluster: Slurm, job: str) -> None:
    with cluster.job(2, 4, "sleep", "1000", user="nobody") as own:
        report = answer(cluster, f"slurm:{own}", "home", user="nobody")
        assert [row["rank"] for row in report["ranks"]] == [0, 1, 2, 3]
        assert report["complete"]
    error = answer(cluster, f"slurm:{job}", "0", "0", status=2, user="nobody")["error"]
    assert (error["type"], error["reason"]) == ("JobRefused", "not-yours")


def test_hosts_without_pymigrate(cluster: Slurm, job: str) -> None:
    for command in ("/no/such/pymigrate", f"{sys.executable} -S -m pymigrate.nobody"):
        error = refused(cluster, f"slurm:{job}", "0", "0", "--command", command)
        assert (error["type"], error["reason"]) == ("HelperMissing", "no-helper")
        assert command in error["message"]


def test_no_slurm_here(cluster: Slurm) -> None:
    done = cluster.run("env", "PATH=/nowhere", *COMMAND, "slurm:1", "0", "0", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("pymigrate: there is no squeue on PATH; run this where")
    assert done.stderr.count("\n") == 1


def test_a_controller_that_is_not_there(cluster: Slurm, folder: Path) -> None:
    """In Slurm's own words, and in one line."""
    config = folder / "slurm.conf"
    config.write_text(
        "ClusterName=gone\nSlurmctldHost=localhost\nSlurmctldPort=1\nMessageTimeout=1\nNodeName=h1\n"
    )
    where = f"SLURM_CONF={config}"
    done = cluster.run("env", where, *COMMAND, "slurm:1", "0", "0", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("pymigrate: Slurm does not answer: ")
    assert done.stderr.count("\n") == 1


def failing(folder: Path, program: str, when: str) -> str:
    """PATH with a command of Slurm that greets first, and fails where it is given a word."""
    script = folder / program
    fails = f"*' {when} '*) echo odd >&2; exit 3;;"
    real = shutil.which(program)
    script.write_text(
        f'#!/bin/sh\necho Welcome, all\ncase " $* " in {fails} esac\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    return f"PATH={folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("program", "when"), [("squeue", "--steps"), ("squeue", "--all"), ("scontrol", "hostnames")]
)
def test_a_command_of_slurm_that_fails(
    cluster: Slurm, job: str, folder: Path, program: str, when: str
) -> None:
    call = [*COMMAND, f"slurm:{job}.0", "0", "0"]
    done = cluster.run("env", failing(folder, program, when), *call, check=False)
    remedy = "see whether sinfo(1) works here"
    assert done.stderr == f"pymigrate: Slurm does not answer: odd; {remedy}\n"
    assert done.returncode == 2


@pytest.mark.parametrize("program", ["squeue", "scontrol"])
def test_a_command_of_slurm_that_says_something_besides(
    cluster: Slurm, job: str, folder: Path, program: str
) -> None:
    path = failing(folder, program, "never")
    done = cluster.run("env", path, *COMMAND, f"slurm:{job}.0", "0", "0", "--json", check=False)
    assert json.loads(done.stdout)["processes"] == 8
