"""A Slurm job on a machine with four nodes, in cgroups v2: its pages move, by residency."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator

import pytest
from support.holders import PAGES, holders
from support.slurm import Slurm, child_of, missing, slurm, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.numa(modules=("veth", "bridge"), memory="1G"),
]

COMMAND = [sys.executable, "-m", "pymigrate", "job"]
TASKS = 4
SLOW = 300  # seconds: everything is emulated


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    lacking = missing()
    if lacking:
        pytest.skip(f"Slurm on hosts of namespaces needs {lacking}")
    with slurm(1, cpus=TASKS, cgroups=True) as started:
        yield started


def test_a_job_moves_from_node_to_node(cluster: Slurm) -> None:
    with holders(cluster, 1, TASKS) as tasks:
        done = cluster.run(*COMMAND, f"slurm:{tasks.job}", "0", "3", "--json", check=False)
        report = json.loads(done.stdout)
        assert [row["rank"] for row in report["ranks"]] == list(range(TASKS))
        assert all(row["moved"] >= PAGES * 4096 for row in report["ranks"])
        assert report["total"]["pages"]["moved"] >= TASKS * PAGES
        for told in tasks.ask():
            assert (told["nodes"], told["intact"]) == ({"3": PAGES}, True)


def test_each_rank_comes_home(cluster: Slurm) -> None:
    """Slurm binds each task to a CPU, and each CPU of this machine is on a node of its own."""
    with holders(cluster, 1, TASKS, "--cpu-bind=map_cpu:0,1,2,3") as tasks:
        done = cluster.run(*COMMAND, f"slurm:{tasks.job}", "home", "--json", check=False)
        report = json.loads(done.stdout)
        assert report["hosts"][0]["topology"].startswith("nodes 0-3, 1 CPUs each #")
        told = tasks.ask()
    assert [part["nodes"] for part in told] == [{str(rank): PAGES} for rank in range(TASKS)]
    assert all(part["intact"] for part in told)


def test_a_cancel_in_the_middle_tells_what_moved(cluster: Slurm) -> None:
    with holders(cluster, 1, TASKS) as tasks:
        slowly = ["--rate", "2M", "--json"]
        with cluster.start(*COMMAND, f"slurm:{tasks.job}", "0", "2", *slowly) as command:
            wait_for(lambda: any("2" in told["nodes"] for told in tasks.ask()), SLOW)
            os.kill(child_of(command.pid), signal.SIGTERM)
            report = json.loads(command.communicate(timeout=SLOW)[0])
        assert command.returncode == 130
        moved = sum(part["nodes"].get("2", 0) for part in tasks.ask())
    assert 0 < moved < TASKS * PAGES
    assert report["outcome"] == "cancelled"
    assert report["total"]["pages"]["moved"] >= moved


def test_the_end_of_the_job_in_the_middle_is_told_as_such(cluster: Slurm) -> None:
    """Slurm ends the helpers with it: they stop, and nobody here has asked for that."""
    with holders(cluster, 1, TASKS) as tasks:
        slowly = ["--rate", "2M", "--json"]
        with cluster.start(*COMMAND, f"slurm:{tasks.job}", "0", "2", *slowly) as command:
            wait_for(lambda: any("2" in told["nodes"] for told in tasks.ask()), SLOW)
            cluster.run("scancel", tasks.job)
            report = json.loads(command.communicate(timeout=SLOW)[0])
    (host,) = report["hosts"]
    assert (host["outcome"], command.returncode) == ("cancelled", 130)
    assert report["total"]["pages"]["moved"] > 0
    told = host["finding"].partition(f"Slurm job {tasks.job} ")[2].partition(";")[0]
    assert told in ("has ended: CANCELLED", "is ending: COMPLETING")
