"""How many tasks were started, from the environment that launchers give."""

from __future__ import annotations

import pytest

from pymigrate.launchers.launched import tasks_launched


@pytest.mark.parametrize(
    ("environment", "tasks"),
    [
        ({}, 1),
        ({"PATH": "/bin", "PMI_SIZE": "many", "FLUX_JOB_SIZE": ""}, 1),
        ({"SLURM_STEP_NUM_TASKS": "8"}, 8),
        ({"PMI_SIZE": "4"}, 4),
        ({"OMPI_COMM_WORLD_SIZE": "3"}, 3),
        ({"FLUX_JOB_SIZE": "5"}, 5),
        # A batch script is told the tasks of its job, and is one process.
        ({"SLURM_NTASKS": "8", "SLURM_NPROCS": "8"}, 1),
        # mpirun -n 1 in a step of Slurm: who started last knows.
        ({"SLURM_STEP_NUM_TASKS": "8", "OMPI_COMM_WORLD_SIZE": "1"}, 1),
        ({"SLURM_STEP_NUM_TASKS": "2", "PMI_SIZE": "16"}, 16),
    ],
)
def test_who_started_last_knows(environment: dict[str, str], tasks: int) -> None:
    found, launcher = tasks_launched(environment)
    assert found == tasks
    assert tasks == 1 or f"={tasks})" in launcher
