"""``migrate_job()`` in steps of a real Slurm, by MPICH; on one node nothing can move."""

from __future__ import annotations

from typing import Any

import pytest
from support.mpi import MPICH, rank_program, run
from support.slurm import Slurm

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
