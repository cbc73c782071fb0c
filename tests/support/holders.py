"""A Slurm job whose tasks hold memory on node 0 of their hosts, and can be asked where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.slurm import Slurm

PAGES = 4096  # of each task
_TESTS = Path(__file__).parents[1]


class Holders:
    """The tasks.

    Attributes:
        job: The id of their job.
    """

    def __init__(self, step: subprocess.Popen[str], tasks: int) -> None:
        self._step = step
        self._tasks = tasks
        self.job: str = self._hear()[0]["job"]

    def ask(self) -> list[dict[str, Any]]:
        """What each says of its memory now, by rank."""
        assert self._step.stdin
        self._step.stdin.write("tell\n")
        self._step.stdin.flush()
        return sorted(self._hear(), key=lambda told: told["rank"])

    def _hear(self) -> list[dict[str, Any]]:
        assert self._step.stdout
        return [json.loads(self._step.stdout.readline()) for _ in range(self._tasks)]


@contextmanager
def holders(cluster: Slurm, hosts: int, tasks: int, *options: str) -> Iterator[Holders]:
    """The tasks, once all of them have their memory; they end with the block."""
    counts = (f"--nodes={hosts}", f"--ntasks={tasks}", f"--ntasks-per-node={tasks // hosts}")
    program = ["env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", "support.holder"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    # Not in the source tree, where -m would find the package without its shim.
    command = ["srun", "--chdir=/", *counts, *options, *program, "0", str(PAGES)]
    with cluster.start(*command, **pipes) as step:
        yield Holders(step, tasks)
