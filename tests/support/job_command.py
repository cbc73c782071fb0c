"""``pymigrate job`` on a cluster of the tests, and helpers that do something else first."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from support.slurm import Slurm

COMMAND = [sys.executable, "-m", "pymigrate", "job"]


def answer(cluster: Slurm, *arguments: str, status: int = 0, user: str = "") -> dict[str, Any]:
    """The report of a command, as JSON."""
    done = cluster.run(*COMMAND, *arguments, "--json", user=user, check=False)
    assert done.returncode == status, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def steps(cluster: Slurm, job: str) -> list[str]:
    """The steps of a job that run, without the one in which Slurm keeps what comes from outside."""
    query = ("squeue", "--noheader", "--steps", f"--jobs={job}", "--format=%i")
    found = cluster.run(*query).stdout.split()
    return [step for step in found if not step.endswith(".extern")]


def wrapper(folder: Path, text: str) -> list[str]:
    """How a helper is called that first does something else."""
    script = folder / "helper.sh"
    script.write_text(f'{text}\nexec {sys.executable} -m pymigrate "$@"\n')
    return ["--command", f"sh {script}"]


def held(folder: Path) -> list[str]:
    """A helper that says that it is there, and waits until it may begin."""
    begun, go = folder / "begun.$SLURMD_NODENAME", folder / "go"
    return wrapper(folder, f"touch {begun}\nuntil [ -e {go} ]; do sleep 0.05; done")


def begun(folder: Path) -> int:
    """How many helpers have said so."""
    return len(list(folder.glob("begun.*")))
