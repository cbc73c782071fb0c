"""``pymigrate job`` on a real Slurm, on hosts of namespaces; on one node nothing can move."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from support.slurm import Slurm, wait_for

COMMAND = [sys.executable, "-m", "pymigrate", "job"]


def answer(cluster: Slurm, *arguments: str, status: int = 0, user: str = "") -> dict[str, Any]:
    """The report of a command, as JSON."""
    done = cluster.run(*COMMAND, *arguments, "--json", user=user, check=False)
    assert done.returncode == status, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def hosts_of(report: dict[str, Any]) -> list[str]:
    return [row["host"] for row in report["hosts"]]


def steps(cluster: Slurm, job: str) -> list[str]:
    """The steps of a job that run."""
    query = ("squeue", "--noheader", "--steps", f"--jobs={job}", "--format=%i")
    return cluster.run(*query).stdout.split()


def test_every_task_on_every_host(cluster: Slurm, job: str) -> None:
    report = answer(cluster, f"slurm:{job}", "0", "0")
    tasks = cluster.tasks(job)
    assert [row[2] for row in tasks] == list(range(8))
    found = [(row["host"], row["pid"], row["rank"]) for row in report["ranks"]]
    assert found == tasks  # and none of the helpers
    assert hosts_of(report) == sorted({host for host, _, _ in tasks}, key=lambda h: int(h[1:]))
    assert [row["processes"] for row in report["hosts"]] == [2, 2, 2, 2]
    assert (report["outcome"], report["exit_status"], report["processes"]) == ("done", 0, 8)
    assert report["total"]["bytes"]["asked"] == report["total"]["bytes"]["already_there"] > 0
    assert len(report["topologies"]) == 1


@pytest.mark.parametrize("rule", ["home", "local", "cpuset", "gpu"])
def test_a_rule_in_place_of_numbers(cluster: Slurm, job: str, rule: str) -> None:
    report = answer(cluster, f"slurm:{job}.0", rule)
    assert (report["complete"], report["processes"]) == (True, 8)


def test_looking_moves_nothing(cluster: Slurm, job: str) -> None:
    report = answer(cluster, f"slurm:{job}", "--show")
    assert report["action"] == "show"
    assert all(row["nodes"]["0"] > 0 for row in report["ranks"])
    report = answer(cluster, f"slurm:{job}", "0", "0", "--check")
    assert (report["action"], report["processes"]) == ("check", 8)
    report = answer(cluster, f"slurm:{job}", "0", "999", "--check", status=1)
    assert all("target-nodes" in row["finding"] for row in report["ranks"])
    assert [row["troubled"] for row in report["hosts"]] == [2, 2, 2, 2]


def test_what_fails_on_the_hosts_is_the_status(cluster: Slurm, job: str) -> None:
    """A device that they do not have is an error of each of them, told with each."""
    report = answer(cluster, f"slurm:{job}", "device:ib7", status=2)
    assert {(row["outcome"], row["error"]) for row in report["hosts"]} == {
        ("failed", "UnknownNode")
    }


def test_in_words_and_tables(cluster: Slurm, job: str) -> None:
    done = cluster.run(*COMMAND, f"slurm:{job}", "0", "0")
    assert "4 hosts, 8 processes: done in " in done.stdout
    assert done.stderr == ""  # no bar where nobody looks
    rows = [line.split() for line in done.stdout.splitlines()]
    ranks = [(row[0], row[2], row[1]) for row in rows if len(row) > 6 and row[1].isdecimal()]
    assert {(h, str(p), str(r)) for h, p, r in cluster.tasks(job)} <= set(ranks)


def test_sixteen_hosts_of_one_job(cluster: Slurm, job: str) -> None:
    """Those of the other job are shared: a step of another job needs none of their CPUs."""
    report = answer(cluster, f"slurm:{job}", "--show")
    others = len(cluster.hosts) - len(report["hosts"])
    with cluster.job(others, others, "sleep", "1000") as many:
        report = answer(cluster, f"slurm:{many}", "0", "0")
    assert report["complete"]
    assert [row["rank"] for row in report["ranks"]] == list(range(others))


def test_a_batch_script_and_its_steps(cluster: Slurm) -> None:
    """What is started by the script itself has no rank; the program of a task has its task's."""
    script = "srun -n1 sh -c 'sleep 1000 & wait'"
    submit = ("sbatch", "--parsable", "-N1", "-n1", "-o", "/dev/null", "--wrap", script)
    batch = cluster.run(*submit).stdout.strip()
    try:
        wait_for(lambda: len(cluster.tasks(batch)) == 1)
        ranks = [row["rank"] for row in answer(cluster, f"slurm:{batch}", "--show")["ranks"]]
        assert ranks.count(0) == 2  # the shell of the task, and the sleep that it has started
        assert ranks.count(None) >= 3  # the script, and srun
        only = answer(cluster, f"slurm:{batch}.0", "--show")
        assert [row["rank"] for row in only["ranks"]] == [0, 0]
        script_only = answer(cluster, f"slurm:{batch}.batch", "--show")
        assert {row["rank"] for row in script_only["ranks"]} == {None}
    finally:
        cluster.run("scancel", batch)


# -- a host that does not answer, and one that cannot


def wrapper(folder: Path, text: str) -> list[str]:
    """How a helper is called that first does something else."""
    script = folder / "helper.sh"
    script.write_text(f'{text}\nexec {sys.executable} -m pymigrate "$@"\n')
    return ["--command", f"sh {script}"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that the hosts see too: they have the file system in common."""
    return tmp_path


def test_a_silent_host_is_a_row(cluster: Slurm, job: str, folder: Path) -> None:
    silent = cluster.tasks(job)[4][0]
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {silent} ] && exec sleep 1000')
    report = answer(cluster, f"slurm:{job}", "0", "0", "--timeout", "6s", *call, status=2)
    told = {row["host"]: (row["outcome"], row["finding"]) for row in report["hosts"]}
    assert told.pop(silent) == ("silent", "no answer within 6 s")
    assert set(told.values()) == {("done", "")}
    assert report["processes"] == 6


def test_a_frozen_host_is_a_row(cluster: Slurm, job: str) -> None:
    """Not even its slurmd answers, so srun would wait."""
    frozen = cluster.tasks(job)[4][0]
    cluster.run("pkill", "-STOP", "slurmd", host=frozen)
    try:
        report = answer(cluster, f"slurm:{job}", "0", "0", "--timeout", "6s", status=2)
    finally:
        cluster.run("pkill", "-CONT", "slurmd", host=frozen)
    told = {row["host"]: row["outcome"] for row in report["hosts"]}
    assert told.pop(frozen) == "silent"
    assert set(told.values()) == {"done"}
    wait_for(lambda: steps(cluster, job) == [f"{job}.0"])  # nor is it begun with when it thaws


def test_a_host_without_the_helper_is_a_row(cluster: Slurm, job: str, folder: Path) -> None:
    lacking = cluster.tasks(job)[0][0]
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {lacking} ] && exec /no/such/program')
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    told = {row["host"]: row for row in report["hosts"]}
    assert told[lacking]["error"] == "HelperFailed"
    assert "the same release of pymigrate there? --command" in told[lacking]["finding"]
    assert sum(row["outcome"] == "done" for row in report["hosts"]) == 3


def test_another_release_on_a_host_is_told(cluster: Slurm, job: str, folder: Path) -> None:
    other = cluster.tasks(job)[0][0]
    line = f'pymigrate-host {other} . {{"report":{{"format":99}}}}'
    call = wrapper(folder, f"[ \"$SLURMD_NODENAME\" = {other} ] && echo '{line}' && exit 0")
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    (finding,) = [row["finding"] for row in report["hosts"] if row["host"] == other]
    assert "the same release of pymigrate on all hosts" in finding


# -- cancel


def held(folder: Path) -> list[str]:
    """A helper that says that it is there, and waits until it may begin."""
    begun, go = folder / "begun.$SLURMD_NODENAME", folder / "go"
    return wrapper(folder, f"touch {begun}\nuntil [ -e {go} ]; do sleep 0.05; done")


def begun(folder: Path) -> int:
    return len(list(folder.glob("begun.*")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancel_reaches_every_host(
    cluster: Slurm, job: str, folder: Path, number: signal.Signals
) -> None:
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", "--json", *held(folder)) as command:
        wait_for(lambda: begun(folder) == 4)
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children")
        os.kill(
            int(children.read_text().split()[0]) if children.read_text() else command.pid, number
        )
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert [row["outcome"] for row in report["hosts"]] == ["cancelled"] * 4
    assert [row["finding"] for row in report["hosts"]] == [""] * 4  # they have answered
    assert report["processes"] == 8


def test_no_helper_outlives_its_launcher(cluster: Slurm, job: str, folder: Path) -> None:
    """Not even where that is killed on the spot."""
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", *held(folder)) as command:
        wait_for(lambda: begun(folder) == 4)
        cluster.run("pkill", "-KILL", "-f", f"pymigrate job slurm:{job} 0 0 --command")
        (folder / "go").touch()
        command.wait(60)
    wait_for(lambda: steps(cluster, job) == [f"{job}.0"])
    assert len(cluster.tasks(job)) == 8


def test_a_bar_over_the_hosts_on_a_terminal(cluster: Slurm, job: str) -> None:
    ours, theirs = pty.openpty()
    options = {"stderr": theirs, "env": {**os.environ, "TERM": "xterm", "COLUMNS": "100"}}
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", **options) as command:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 4096):
                said += chunk
        except OSError:
            pass  # the end of a terminal
    os.close(ours)
    assert command.returncode == 0
    assert re.search(rb"migrating.*\d/4.* hosts", said, re.DOTALL)


# -- what is refused


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
    assert (error["type"], error["reason"]) == ("NoSuchJob", "pending")
    cluster.run("scancel", waiting)


def test_root_may_not_join_the_job_of_another(cluster: Slurm) -> None:
    with cluster.job(1, 1, "sleep", "1000", user="nobody") as theirs:
        (task,) = cluster.tasks(theirs)
        error = refused(cluster, f"slurm:{theirs}", "0", "0")
    assert (error["type"], error["reason"]) == ("JobRefused", "not-yours")
    assert f"--hosts {task[0]}" in error["message"]


def test_users_have_their_own_jobs_and_no_others(cluster: Slurm, job: str) -> None:
    # By a shell, as exec by setpriv itself would have the capabilities of root still.
    look = f"{sys.executable} -c 'import pymigrate'"
    if cluster.run("sh", "-c", look, user="nobody", check=False).returncode:
        pytest.skip("other users may not read this interpreter: test in a folder that they may")
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
