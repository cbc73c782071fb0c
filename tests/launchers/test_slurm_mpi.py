"""``migrate_job()`` in steps of a real Slurm, by MPICH; on one node nothing can move."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from support import job_command
from support.mpi import ENGINES, MPICH, OPEN_MPI, Engine, rank_program, run
from support.slurm import Slurm, wait_for

from pymigrate import ClusterReport

pytest.importorskip("mpi4py", reason="mpi4py is missing: pip install pymigrate-numa[mpi]")

pytestmark = pytest.mark.skipif(
    not MPICH.folder.exists(), reason=f"MPICH is not in {MPICH.folder}: `make test` installs it"
)


def report_of(answer: Any) -> ClusterReport:
    return ClusterReport.from_dict(answer["report"])


def test_ranks_of_a_step_are_gathered_by_host(cluster: Slurm) -> None:
    step = ["srun", "--nodes=4", "--ntasks=8", "--ntasks-per-node=2", "--mpi=pmi2"]
    program = rank_program("everywhere", "at_root", "failing_host")
    answers = run(cluster.command(*step, *program), MPICH.environment())
    assert len(answers) == 8
    reports = [report_of(answer["everywhere"]) for answer in answers]
    assert reports == reports[:1] * 8
    hosts = [row.host for row in reports[0].hosts]
    assert len(hosts) == 4
    assert set(hosts) <= set(cluster.hosts)
    assert [(row.host, row.rank) for row in reports[0].ranks] == [
        (host, rank) for number, host in enumerate(hosts) for rank in (2 * number, 2 * number + 1)
    ]
    assert [row.pid for row in reports[0].ranks] == [answer["pid"] for answer in answers]
    assert [bool(answer["at_root"]["report"]) for answer in answers] == [False] * 7 + [True]
    without_device = report_of(answers[5]["failing_host"][0])
    assert [row.error for row in without_device.hosts] == ["UnknownNode"] * 4


def test_a_step_without_pmi_is_recognised(cluster: Slurm) -> None:
    step = ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--mpi=none"]
    for answer in run(cluster.command(*step, *rank_program("alone")), MPICH.environment()):
        world, myself = answer["alone"]
        assert world["error"]["type"] == "WorldOfOne"
        assert "srun (SLURM_STEP_NUM_TASKS=2)" in world["error"]["message"]
        assert report_of(myself).processes == 1


def test_a_batch_script_is_one_process_whatever_the_job_has(cluster: Slurm) -> None:
    """It is told the tasks of the job (SLURM_NTASKS), and is not one of them."""
    batch = ["sbatch", "--wait", "--ntasks=2", "--output=/dev/null", "--wrap"]
    program = " ".join(rank_program("everywhere"))
    (answer,) = run(
        cluster.command(*batch, f'test "$SLURM_NTASKS" = 2 && {program}'), MPICH.environment()
    )
    assert report_of(answer["everywhere"]).processes == 1


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_ranks_of_mpirun_are_its_own(cluster: Slurm, engine: Engine) -> None:
    """It starts a daemon on each host by srun, and those are the tasks that Slurm has numbered."""
    if not engine.folder.exists():
        pytest.skip(f"{engine.name} is not in {engine.folder}: `make test` installs it")
    counts = ("--nodes=2", "--ntasks=4", "--ntasks-per-node=2", "--output=/dev/null")
    script = shlex.join([*engine.command(4), *SPREAD[engine], "sleep", "1000"])
    with cluster.running("sbatch", *counts, "--wrap", script) as (job,):
        wait_for(lambda: len(sleeping(cluster, job)) == 4)
        pids = sleeping(cluster, job)
        report = job_command.answer(cluster, f"slurm:{job}", "--show")
    ranks = {(row["host"], row["pid"]): row["rank"] for row in report["ranks"]}
    assert [ranks[pid] for pid in pids] == [0, 1, 2, 3]
    assert {rank for pid, rank in ranks.items() if pid not in pids} == {None}


SPREAD = {MPICH: ["-bootstrap", "slurm"], OPEN_MPI: ["--map-by", "ppr:2:node:oversubscribe"]}


def sleeping(cluster: Slurm, job: str) -> list[tuple[str, int]]:
    """Host and pid of the programs that mpirun has started, in the order of their ranks."""
    look = f"for pid in $(scontrol listpids {job} | awk '$1 > 1 {{print $1}}'); do {TELL}; done"
    query = ("squeue", "--noheader", f"--jobs={job}", "--format=%N")
    nodes = cluster.run("scontrol", "show", "hostnames", cluster.run(*query).stdout.strip()).stdout
    found = []
    for host in nodes.split():
        pids = cluster.run("sh", "-c", look, host=host, check=False).stdout.split()
        found += [(host, int(pid)) for pid in pids]
    return sorted(found, key=lambda it: (nodes.index(it[0]), it[1]))


# Not by name alone: in the step extern Slurm has a program of the same name.
TELL = "tr '\\0' ' ' </proc/$pid/cmdline | grep -qx 'sleep 1000 ' && echo $pid"
