"""``pymigrate job`` on a real Slurm, on hosts of namespaces; on one node nothing can move."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from support.job_command import COMMAND, answer, steps
from support.slurm import Slurm, wait_for


def hosts_of(report: dict[str, Any]) -> list[str]:
    return [row["host"] for row in report["hosts"]]


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


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"])
def test_ranks_of_an_mpirun_within_a_task(cluster: Slurm, variable: str) -> None:
    """To Slurm the daemon of mpirun is the task, and its processes are what that has started."""
    start = f"for rank in 2 3; do {variable}=$rank sleep 1000 & done; wait"
    with cluster.job(1, 1, "sh", "-c", start) as job:
        wait_for(lambda: answer(cluster, f"slurm:{job}", "--show")["processes"] == 3)
        report = answer(cluster, f"slurm:{job}", "--show")
    assert [row["rank"] for row in report["ranks"]] == [2, 3, None]


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
    report = answer(cluster, f"slurm:{job}", "0", "0", "--check", "--evict")
    assert (report["action"], report["complete"]) == ("check-eviction", True)
    report = answer(cluster, f"slurm:{job}", "0", "999", "--check", status=1)
    assert all("target-nodes" in row["finding"] for row in report["ranks"])
    assert [row["troubled"] for row in report["hosts"]] == [2, 2, 2, 2]
    assert {row["outcome"] for row in report["hosts"]} == {"refused"}


def test_no_process_of_a_host_is_dealt_with(cluster: Slurm, job: str) -> None:
    report = answer(cluster, f"slurm:{job}", "0", "999", status=2)
    assert {(row["outcome"], row["error"]) for row in report["hosts"]} == {
        ("failed", "NodesRefused")
    }
    assert all("node 999 is not there" in row["finding"] for row in report["hosts"])


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


def test_ranks_of_two_steps_name_their_step(cluster: Slurm) -> None:
    script = "srun --overlap -n1 sleep 1000 & srun --overlap -n1 sleep 1000 & wait"
    with cluster.running("sbatch", "-N1", "-n1", "-o", "/dev/null", "--wrap", script) as (both,):
        wait_for(lambda: len(steps(cluster, both)) == 3)  # one is batch
        wait_for(lambda: len(answer(cluster, f"slurm:{both}.1", "--show")["ranks"]) == 1)
        done = cluster.run(*COMMAND, f"slurm:{both}", "--show")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[1:3] for row in rows if row[1:2] == [f"{both}.0"]] == [[f"{both}.0", "0"]]
    assert [row[1:3] for row in rows if row[1:2] == [f"{both}.1"]] == [[f"{both}.1", "0"]]


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


INSIDE = """\
import os, sys
from pymigrate.launchers.remote import JobOnHosts
from pymigrate.launchers.wish import Wish
print(JobOnHosts(sys.argv[1], Wish("show"), command=sys.argv[2:]).run().to_json())
"""


@pytest.mark.parametrize("program", [False, True])
def test_from_within_the_job_itself(cluster: Slurm, folder: Path, program: bool) -> None:
    """The command does not count what it runs as; a program that has its job moved is its work."""
    script, pid, told = (folder / name for name in ("inside.py", "pid", "told"))
    script.write_text(INSIDE)
    job = "slurm:$SLURM_JOB_ID"
    call = f"{shlex.join(COMMAND)} {job} --show --json"
    if program:
        call = f"{sys.executable} {script} {job} {sys.executable} -m pymigrate"
    batch = f"sh -c 'echo $$ >{pid}; exec {call}' >{told}.new; mv {told}.new {told}; sleep 1000"
    with cluster.running("sbatch", "--nodes=2", "--output=/dev/null", "--wrap", batch):
        wait_for(told.exists)
    report = json.loads(told.read_text())
    pids = [row["pid"] for row in report["ranks"]]
    assert len(pids) >= 1  # the script
    assert (int(pid.read_text()) in pids) == program
