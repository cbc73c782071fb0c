"""Hosts that do not answer, or not as they should, and others who deal with the same job."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from support.job_command import COMMAND, answer, begun, held, steps, wrapper
from support.slurm import Slurm, wait_for


def test_a_silent_host_is_a_row(cluster: Slurm, job: str, folder: Path) -> None:
    silent = cluster.tasks(job)[4][0]
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {silent} ] && exec sleep 1000')
    report = answer(cluster, f"slurm:{job}", "0", "0", "--timeout", "6s", *call, status=2)
    told = {row["host"]: (row["outcome"], row["finding"]) for row in report["hosts"]}
    assert told.pop(silent) == ("silent", "no answer within 6 s")
    assert set(told.values()) == {("done", "")}
    assert report["processes"] == 6


def test_a_frozen_host_is_a_row(cluster: Slurm, job: str) -> None:
    """Not even its slurmd answers, so srun would wait: it is killed, and what stays is told."""
    frozen = cluster.tasks(job)[4][0]
    cluster.run("pkill", "-STOP", "slurmd", host=frozen)
    try:
        report = answer(cluster, f"slurm:{job}", "0", "0", "--timeout", "6s", status=2)
    finally:
        cluster.run("pkill", "-CONT", "slurmd", host=frozen)
    told = {row["host"]: (row["outcome"], row["finding"]) for row in report["hosts"]}
    outcome, finding = told.pop(frozen)
    assert outcome == "silent"
    assert finding.startswith("no answer within 6 s; srun could not end its step, which squeue(1)")
    assert set(told.values()) == {("done", "")}
    assert report["elapsed_seconds"] < 11  # the 6 s, and three for the last call and for srun
    wait_for(lambda: steps(cluster, job) == [f"{job}.0"])  # nor is it begun with when it thaws


BUSY = "srun: Job 7 step creation temporarily disabled, retrying (Requested nodes are busy)"


def test_why_srun_waits_is_told_of_hosts_that_were_never_heard(
    cluster: Slurm, job: str, folder: Path
) -> None:
    """In its words, as libslurm has them; srun of Slurm 22.05 waits for no room itself here."""
    srun = folder / "srun"
    srun.write_text(f"#!/bin/sh\necho '{BUSY}' >&2\nexec sleep 1000\n")
    srun.chmod(0o755)
    call = [*COMMAND, f"slurm:{job}", "0", "0", "--timeout", "1s", "--json"]
    path = f"PATH={folder}:{os.environ['PATH']}"
    report = json.loads(cluster.run("env", path, *call, check=False).stdout)
    told = {(row["outcome"], row["finding"]) for row in report["hosts"]}
    assert told == {("silent", f"no answer within 1 s: {BUSY}")}


def test_helpers_take_no_share_of_what_the_job_has(cluster: Slurm, folder: Path) -> None:
    """One step holds all of its memory and devices; what a helper is given shows in its step."""
    everything = ("--nodes=2", "--ntasks=2", "--mem=1000", "--gres=fake:2")
    with cluster.running("srun", *everything, "sleep", "1000") as (full,):
        wait_for(lambda: len(cluster.tasks(full)) == 2)
        with cluster.start(*COMMAND, f"slurm:{full}", "0", "0", "--json", *held(folder)) as command:
            wait_for(lambda: begun(folder) == 2)
            step = cluster.run("scontrol", "show", "step", f"{full}.1").stdout
            (folder / "go").touch()
            report = json.loads(command.communicate(timeout=60)[0])
    assert (report["complete"], report["processes"]) == (True, 2)
    assert "TresPerNode" not in step  # of the first step: TresPerNode=gres:fake:2


def test_a_host_without_the_helper_is_a_row(cluster: Slurm, job: str, folder: Path) -> None:
    lacking = cluster.tasks(job)[0][0]
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {lacking} ] && exec /no/such/program')
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    told = {row["host"]: row for row in report["hosts"]}
    assert told[lacking]["error"] == "HelperFailed"
    assert "the same release of pymigrate there? --command" in told[lacking]["finding"]
    assert sum(row["outcome"] == "done" for row in report["hosts"]) == 3


def test_a_dead_slurmd_is_told_as_what_ended_the_others(
    cluster: Slurm, job: str, folder: Path
) -> None:
    """For ten seconds srun tries to reach it, and then ends its step everywhere."""
    done, dead, *rest = sorted({host for host, _, _ in cluster.tasks(job)})
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {done} ] || exec sleep 1000')
    cluster.run("pkill", "-KILL", "-x", "slurmd", host=dead)
    try:
        report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    finally:
        cluster.run("slurmd", "-N", dead, host=dead)
    told = {row["host"]: (row["outcome"], row["finding"]) for row in report["hosts"]}
    assert told.pop(done) == ("done", "")
    outcome, why = told.pop(dead)
    assert outcome == "failed"
    assert f"failed on node {dead}: Communication connection failure" in why
    assert "--command" not in why
    ended = f"ended as another host failed, and what has been done is not known: {why}"
    assert told == dict.fromkeys(rest, ("failed", ended))


def test_a_host_without_scontrol_is_a_row(cluster: Slurm, job: str, folder: Path) -> None:
    """It is that host's lack, and nothing that the caller could mend by going elsewhere."""
    lacking = cluster.tasks(job)[0][0]
    call = wrapper(folder, f'[ "$SLURMD_NODENAME" = {lacking} ] && export PATH=/nowhere')
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    told = {row["host"]: (row["error"], row["finding"]) for row in report["hosts"]}
    error, finding = told.pop(lacking)
    assert error == "EngineMissing"
    assert finding.startswith("there is no scontrol on the PATH of this host; install")
    assert set(told.values()) == {("", "")}


# What scontrol says where steps end, recorded from Slurm 22.05.
ENDS = ("StepId=7.0 does not exist on this node.", "Unable to connect to slurmstepd: Bad file")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("exit 7", "scontrol ended with status 7"),
        ("kill -INT $$", "scontrol ended by signal 2, Interrupt"),
        (f"echo '{ENDS[1]}' >&2; exit 1", ENDS[1]),
    ],
)
def test_how_scontrol_failed_is_told(
    cluster: Slurm, job: str, folder: Path, end: str, words: str
) -> None:
    scontrol = folder / "scontrol"
    scontrol.write_text(f"#!/bin/sh\n{end}\n")
    scontrol.chmod(0o755)
    call = wrapper(folder, f"export PATH={folder}:$PATH")
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    findings = {row["finding"] for row in report["hosts"]}
    assert findings == {f"scontrol listpids {job} failed: {words}"}


@pytest.mark.parametrize("words", ENDS)
def test_a_step_that_ends_while_scontrol_looks(
    cluster: Slurm, job: str, folder: Path, words: str
) -> None:
    """It fails for that step, and has listed the others."""
    scontrol = folder / "scontrol"
    real = shutil.which("scontrol")
    scontrol.write_text(
        f"#!/bin/sh\ncount={folder}/$SLURMD_NODENAME\n"
        f'[ -e $count.2 ] && exec {real} "$@"\n'
        f"[ -e $count.1 ] && touch $count.2\ntouch $count.1\necho '{words}' >&2; exit 1\n"
    )
    scontrol.chmod(0o755)
    call = wrapper(folder, f"export PATH={folder}:$PATH")
    report = answer(cluster, f"slurm:{job}", "0", "0", *call)
    assert [row["processes"] for row in report["hosts"]] == [2, 2, 2, 2]


def test_another_release_on_a_host_is_told(cluster: Slurm, job: str, folder: Path) -> None:
    other = cluster.tasks(job)[0][0]
    line = f'pymigrate-host {other} . {{"report":{{"format":99}}}}'
    call = wrapper(folder, f"[ \"$SLURMD_NODENAME\" = {other} ] && echo '{line}' && exit 0")
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    (finding,) = [row["finding"] for row in report["hosts"] if row["host"] == other]
    assert "the same release of pymigrate on all hosts" in finding


def test_each_host_that_fails_is_told_in_its_own_words(
    cluster: Slurm, job: str, folder: Path
) -> None:
    failing = [cluster.tasks(job)[index][0] for index in (0, 4)]
    odd = 'echo; echo "odd on $(hostname)" >&2; exit 3'
    text = f"case $SLURMD_NODENAME in {'|'.join(failing)}) {odd}; esac"
    report = answer(cluster, f"slurm:{job}", "0", "0", *wrapper(folder, text), status=2)
    told = {row["host"]: row["finding"] for row in report["hosts"] if row["outcome"] == "failed"}
    assert sorted(told) == sorted(failing)
    for host, finding in told.items():
        assert finding == f"Exited with exit code 3: odd on {host}"


def test_helpers_that_all_fail_are_rows(cluster: Slurm, job: str, folder: Path) -> None:
    """They were started, so that is not what went wrong."""
    call = wrapper(folder, 'echo "odd on $(hostname)" >&2; exit 3')
    report = answer(cluster, f"slurm:{job}", "0", "0", *call, status=2)
    assert len(report["hosts"]) == 4
    for row in report["hosts"]:
        assert row["error"] == "HelperFailed"
        assert row["finding"] == f"Exited with exit code 3: odd on {row['host']}"


def endings(job: str) -> tuple[str, ...]:
    """Slurm cleans up after a job for a moment."""
    remedy = "its memory goes with it: name a job that runs"
    ends = "has ended: CANCELLED", "is ending: COMPLETING"
    return tuple(f"Slurm job {job} {end}; {remedy}" for end in ends)


def test_a_job_that_ends_before_anybody_has_answered(cluster: Slurm, folder: Path) -> None:
    with cluster.job(2, 2, "sleep", "1000") as ending:
        call = ["--json", *held(folder)]
        with cluster.start(*COMMAND, f"slurm:{ending}", "0", "0", *call) as command:
            wait_for(lambda: begun(folder) == 2)
            cluster.run("scancel", ending)
            error = json.loads(command.communicate(timeout=60)[0])["error"]
    assert (error["type"], error["reason"]) == ("NoSuchJob", "ended")
    assert error["message"] in endings(ending)


def test_a_job_that_ends_when_some_have_answered(cluster: Slurm, folder: Path) -> None:
    with cluster.job(2, 2, "sleep", "1000") as ending:
        first, last = (host for host, _, _ in cluster.tasks(ending))
        done = f'{sys.executable} -m pymigrate "$@"; touch {folder}/begun.1; exit'
        call = wrapper(
            folder,
            f"[ $SLURMD_NODENAME = {first} ] && {{ {done}; }}\ntouch {folder}/begun.2; sleep 1000",
        )
        with cluster.start(*COMMAND, f"slurm:{ending}", "0", "0", "--json", *call) as command:
            wait_for(lambda: begun(folder) == 2)
            cluster.run("scancel", ending)
            report = json.loads(command.communicate(timeout=60)[0])
    told = {row["host"]: row for row in report["hosts"]}
    assert (told[first]["outcome"], told[first]["finding"]) == ("done", "")
    assert (told[last]["outcome"], told[last]["error"]) == ("failed", "NoSuchJob")
    assert told[last]["finding"] in endings(ending)


def test_the_helpers_of_another_are_no_part_of_the_job(
    cluster: Slurm, job: str, folder: Path
) -> None:
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", "--json", *held(folder)) as first:
        wait_for(lambda: begun(folder) == 4)
        assert len(steps(cluster, job)) == 2
        report = answer(cluster, f"slurm:{job}", "0", "0")
        (folder / "go").touch()
        assert json.loads(first.communicate(timeout=60)[0])["processes"] == 8
    assert [(row["host"], row["pid"], row["rank"]) for row in report["ranks"]] == cluster.tasks(job)
    assert {row["step"] for row in report["ranks"]} == {f"{job}.0"}
