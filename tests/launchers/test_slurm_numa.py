"""A Slurm job on a machine with four nodes, in cgroups v2: its pages move, by residency."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.slurm import Slurm, child_of, missing, slurm, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.numa(modules=("veth", "bridge"), memory="1G"),
]

COMMAND = [sys.executable, "-m", "pymigrate", "job"]
TESTS = Path(__file__).resolve().parents[1]
PAGES = 4096
TASKS = 4
SLOW = 300  # seconds: everything is emulated


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    lacking = missing()
    if lacking:
        pytest.skip(f"Slurm on hosts of namespaces needs {lacking}")
    with slurm(1, cpus=TASKS, cgroups=True) as started:
        yield started


class Holders:
    """The tasks of a job, each of which holds memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def told(self) -> list[dict[str, Any]]:
        """Where the memory of each is, and whether it is whole; by rank."""
        (self._folder / "tell").touch()
        wait_for(lambda: len(list(self._folder.glob("told.?"))) == TASKS, SLOW)
        paths = [self._folder / f"told.{rank}" for rank in range(TASKS)]
        return [json.loads(path.read_text()) for path in paths]


@contextmanager
def holding(cluster: Slurm, *options: str) -> Iterator[tuple[str, Holders]]:
    """A job whose tasks hold memory on node 0: its id, and the tasks."""
    folder = Path(tempfile.mkdtemp(prefix="pymigrate-holders-"))
    program = ["env", f"PYTHONPATH={TESTS}", sys.executable, "-m", "support.holder"]
    program += [str(folder), "0", str(PAGES)]
    try:
        with cluster.job(1, TASKS, *options, *program) as job:
            wait_for(lambda: len(list(folder.glob("held.?"))) == TASKS, SLOW)
            yield job, Holders(folder)
    finally:
        shutil.rmtree(folder)


def test_a_job_moves_from_node_to_node(cluster: Slurm) -> None:
    with holding(cluster) as (job, holders):
        done = cluster.run(*COMMAND, f"slurm:{job}", "0", "3", "--json", check=False)
        report = json.loads(done.stdout)
        assert [row["rank"] for row in report["ranks"]] == list(range(TASKS))
        assert all(row["moved"] >= PAGES * 4096 for row in report["ranks"])
        assert report["total"]["pages"]["moved"] >= TASKS * PAGES
        for told in holders.told():
            assert told == {"nodes": {"3": PAGES}, "intact": True}


def test_each_rank_comes_home(cluster: Slurm) -> None:
    """Slurm binds each task to a CPU, and each CPU of this machine is on a node of its own."""
    with holding(cluster, "--cpu-bind=map_cpu:0,1,2,3") as (job, holders):
        done = cluster.run(*COMMAND, f"slurm:{job}", "home", "--json", check=False)
        report = json.loads(done.stdout)
        assert report["hosts"][0]["topology"].startswith("nodes 0-3, 1 CPUs each #")
        told = holders.told()
    assert [part["nodes"] for part in told] == [{str(rank): PAGES} for rank in range(TASKS)]
    assert all(part["intact"] for part in told)


def test_a_cancel_in_the_middle_tells_what_moved(cluster: Slurm) -> None:
    with holding(cluster) as (job, holders):
        slowly = ["--rate", "4M", "--json", "--progress"]
        with cluster.start(*COMMAND, f"slurm:{job}", "0", "2", *slowly, stderr=-1) as command:
            # The bar tells when bytes have been dealt with.
            assert command.stderr
            said = ""
            while " MiB" not in said:
                said = (said + command.stderr.read(64))[-200:]
            os.kill(child_of(command.pid), signal.SIGTERM)
            report = json.loads(command.communicate(timeout=SLOW)[0])
        assert command.returncode == 130
        moved = sum(part["nodes"].get("2", 0) for part in holders.told())
    assert 0 < moved < TASKS * PAGES
    assert report["outcome"] == "cancelled"
    assert 0 < report["total"]["pages"]["moved"] < TASKS * (PAGES + 10_000)
    assert report["total"]["pages"]["moved"] >= moved
