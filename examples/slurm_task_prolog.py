#!/usr/bin/env python3
"""A TaskProlog for Slurm: the memory of every task follows it, as long as the task runs.

In slurm.conf `TaskProlog=/opt/pymigrate/slurm_task_prolog.py`, for one step
`srun --task-prolog=...`. It runs as the user, before the task, and the task waits for it; Slurm
tells the pid that the task is going to have, and takes `export` lines for the environment of the
task (slurm.conf(5), TaskProlog).

slurmstepd runs it by its first line, with the PATH of the job: write there the interpreter that has
pymigrate, such as `#!/opt/pymigrate/bin/python`, and put followed.py beside it.

Only those are followed who ask for it: sbatch --export=ALL,PYMIGRATE_FOLLOW=--rate=1G ...
Where no follower can be started the prolog fails, and with it the task.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Starts a follower for the task, if its user wants one."""
    if "PYMIGRATE_FOLLOW" not in os.environ:
        return
    try:
        task = follow_task()
    except SystemExit as refusal:
        print(f"print {refusal}")  # slurmstepd passes that on to the user, and nothing else
        raise
    print(f"export PYMIGRATE_FOLLOWED={task}")


def follow_task() -> int:
    """Starts a follower, and returns the pid that the task is going to have.

    Raises:
        SystemExit: It cannot be started, and why.
    """
    if "SLURM_TASK_PID" not in os.environ:
        sys.exit(
            "slurm_task_prolog.py: there is no SLURM_TASK_PID: Slurm starts this, before a task"
        )
    try:  # here, as the tasks of those who do not ask need none
        from followed import start_follower
    except ModuleNotFoundError as missing:
        sys.exit(f"slurm_task_prolog.py: there is no {missing.name}.py in {sys.path[0]}")
    task = int(os.environ["SLURM_TASK_PID"])
    start_follower(task)
    return task


if __name__ == "__main__":
    main()
