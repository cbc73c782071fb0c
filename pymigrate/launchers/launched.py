"""How many tasks a launcher has started, as it tells each of them in its environment."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["tasks_launched"]

# What mpirun starts inside of a job of Slurm or Flux sees their variables too, so those of the MPI
# launchers come first. The number of a Slurm *job* (SLURM_NTASKS) is also told to its batch script,
# which is one process; that of a step is told to its tasks alone.
_SIZES = {
    "OMPI_COMM_WORLD_SIZE": "mpirun of Open MPI",
    "MV2_COMM_WORLD_SIZE": "mpirun of MVAPICH",
    "PMI_SIZE": "a launcher that speaks PMI (mpiexec of MPICH, srun --mpi=pmi2)",
    "FLUX_JOB_SIZE": "flux",
    "SLURM_STEP_NUM_TASKS": "srun",
}


def tasks_launched(environment: Mapping[str, str]) -> tuple[int, str]:
    """How many tasks were started together with this process, and by whom.

    Args:
        environment: Of the process.

    Returns:
        1 where no launcher tells a number.
    """
    for variable, launcher in _SIZES.items():
        number = environment.get(variable, "")
        if number.isdecimal():
            return int(number), f"{launcher} ({variable}={number})"
    return 1, ""
