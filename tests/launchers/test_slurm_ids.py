"""Jobs of Slurm that are several: arrays and heterogeneous jobs, by each of their ids."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.job_command import COMMAND, answer, begun, held, steps, wrapper
from support.slurm import Slurm, child_of, wait_for

SLEEP = ("sleep", "1000")


def error(cluster: Slurm, *arguments: str) -> tuple[str, str, str]:
    told = answer(cluster, *arguments, status=2)["error"]
    return told["type"], told["reason"], told["message"]


def processes(report: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted((row["host"], row["pid"]) for row in report["ranks"])


def tasks(cluster: Slurm, *numbers: str) -> list[tuple[str, int]]:
    """Host and pid there of the tasks of jobs, by the numbers that slurmd knows."""
    return sorted((host, pid) for number in numbers for host, pid, _ in cluster.tasks(number))


@pytest.mark.parametrize("step", ["", ".0"])
def test_what_people_set_for_squeue(cluster: Slurm, job: str, step: str) -> None:
    """It filters and sorts what they look at, and is no part of what is asked here."""
    call = [*COMMAND, f"slurm:{job}{step}", "0", "0", "--json"]
    done = cluster.run("env", *FILTERS, *call, check=False)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["processes"] == 8


FILTERS = (
    "SQUEUE_USERS=nobody",
    "SQUEUE_PARTITION=none",
    "SQUEUE_LICENSES=none",
    "SQUEUE_SORT=none",
    "SQUEUE_STATES=PENDING",
    "SQUEUE_NAMES=none",
    "SQUEUE_ACCOUNT=none",
    "SQUEUE_QOS=none",
    "SQUEUE_FORMAT2=JobID",
    "SCONTROL_LOCAL=1",
)


# -- heterogeneous jobs


@pytest.fixture(scope="module")
def components(cluster: Slurm) -> Iterator[list[str]]:
    """The numbers of two: one of two hosts with a task each, one of a host with two."""
    first = ("--nodes=2", "--ntasks=2", *SLEEP)
    second = ("--nodes=1", "--ntasks=2", *SLEEP)
    with cluster.running("srun", *first, ":", *second, jobs=2) as numbers:
        wait_for(lambda: [len(tasks(cluster, number)) for number in numbers] == [2, 2])
        yield numbers


@pytest.mark.parametrize(
    ("group", "form"),
    [(0, "{0}+0"), (0, "{0}+0.0"), (1, "{0}+1"), (1, "{0}+1.0"), (1, "{1}"), (1, "{1}.0")],
)
def test_a_component(cluster: Slurm, components: list[str], group: int, form: str) -> None:
    """Also by its own number; that of the first one stands for all of them."""
    number = components[group]
    report = answer(cluster, f"slurm:{form.format(*components)}", "0", "0")
    assert processes(report) == tasks(cluster, number)  # and no helper
    assert [row["rank"] for row in report["ranks"]] == [0, 1]
    assert {row["step"] for row in report["ranks"]} == {f"{number}.0"}
    assert report["complete"]


@pytest.mark.parametrize("step", ["", ".0"])
def test_all_components_at_once(cluster: Slurm, components: list[str], step: str) -> None:
    report = answer(cluster, f"slurm:{components[0]}{step}", "0", "0")
    assert processes(report) == tasks(cluster, *components)
    assert len(report["hosts"]) == 3
    assert {row["step"] for row in report["ranks"]} == {f"{n}.0" for n in components}


def test_a_cancel_reaches_all_components(
    cluster: Slurm, components: list[str], folder: Path
) -> None:
    call = [f"slurm:{components[0]}", "0", "0", "--json", *held(folder)]
    with cluster.start(*COMMAND, *call) as command:
        wait_for(lambda: begun(folder) == 3)
        os.kill(child_of(command.pid) or command.pid, signal.SIGTERM)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    told = [(row["outcome"], row["finding"]) for row in report["hosts"]]
    assert told == [("cancelled", "")] * 3  # they have answered
    assert processes(report) == tasks(cluster, *components)


def test_helpers_of_components_that_fail(
    cluster: Slurm, components: list[str], folder: Path
) -> None:
    call = wrapper(folder, 'echo "odd on $(hostname)" >&2; exit 3')
    report = answer(cluster, f"slurm:{components[0]}", "0", "0", *call, status=2)
    assert len(report["hosts"]) == 3
    for row in report["hosts"]:
        assert row["finding"].endswith(f"odd on {row['host']}")


def test_a_component_that_is_not_there(cluster: Slurm, components: list[str]) -> None:
    leader = components[0]
    kind, reason, message = error(cluster, f"slurm:{leader}+7", "0", "0")
    assert (kind, reason) == ("NoSuchJob", "unknown")
    assert message.endswith(f"there is {leader}+0, {leader}+1")
    kind, reason, message = error(cluster, f"slurm:{leader}.7", "0", "0")
    assert (kind, reason) == ("NoSuchJob", "unknown")
    theirs = ", ".join(f"{number}.0, {number}.extern" for number in components)
    assert message.endswith(f"it has {theirs}")


def test_components_of_a_step(cluster: Slurm) -> None:
    """Two programs in one step of an ordinary job."""
    script = "srun -N1 -n1 sleep 1000 : -N1 -n1 sleep 1000"
    submit = ("sbatch", "--nodes=2", "--ntasks=4", "--output=/dev/null", "--wrap", script)
    with cluster.running(*submit) as (job,):
        wait_for(lambda: len(steps(cluster, job)) == 3)
        report = answer(cluster, f"slurm:{job}.0", "0", "0")
        wait_for(lambda: len(steps(cluster, job)) == 3)
        places = [(row["step"], row["rank"]) for row in report["ranks"]]
        assert places == [(f"{job}.0+0", 0), (f"{job}.0+1", 0)]
        only = answer(cluster, f"slurm:{job}.0+1", "0", "0")
        assert [row["step"] for row in only["ranks"]] == [f"{job}.0+1"]


# -- arrays


@pytest.fixture(scope="module")
def array(cluster: Slurm) -> Iterator[list[str]]:
    """The numbers of the three tasks of an array, in their order."""
    submit = ("sbatch", "--array=1-3", "--ntasks=1", "--output=/dev/null", "--wrap")
    with cluster.running(*submit, "srun sleep 1000", jobs=3) as numbers:
        wait_for(lambda: len(tasks(cluster, *numbers)) == 3)
        yield by_index(cluster, numbers)


def by_index(cluster: Slurm, numbers: list[str]) -> list[str]:
    query = ("squeue", "--noheader", f"--jobs={','.join(numbers)}", "--format=%K %A")
    return [line.split()[1] for line in sorted(cluster.run(*query).stdout.splitlines())]


def base_of(cluster: Slurm, array: list[str]) -> str:
    query = ("squeue", "--noheader", f"--jobs={array[0]}", "--format=%F")
    return cluster.run(*query).stdout.strip()


@pytest.mark.parametrize("index", [1, 2, 3])
def test_a_task_of_an_array(cluster: Slurm, array: list[str], index: int) -> None:
    base, number = base_of(cluster, array), array[index - 1]
    report = answer(cluster, f"slurm:{base}_{index}", "0", "0")
    assert set(tasks(cluster, number)) < set(processes(report))  # the script, too, and srun
    assert {row["step"] for row in report["ranks"]} == {f"{number}.0", f"{number}.batch"}
    report = answer(cluster, f"slurm:{base}_{index}.0", "0", "0")
    assert processes(report) == tasks(cluster, number)
    report = answer(cluster, f"slurm:{base}_{index}.batch", "--show")
    assert {row["step"] for row in report["ranks"]} == {f"{number}.batch"}


def test_an_array_is_several_jobs(cluster: Slurm, array: list[str]) -> None:
    base = base_of(cluster, array)
    kind, reason, message = error(cluster, f"slurm:{base}", "0", "0")
    assert (kind, reason) == ("NoSuchJob", "several")
    assert message.endswith(f"name one: {base}_1, {base}_2, {base}_3")
    kind, reason, _ = error(cluster, f"slurm:{base}_9", "0", "0")
    assert (kind, reason) == ("NoSuchJob", "unknown")
