"""MPI engines, run for real: scenarios of ``launchers/ranks.py`` on ranks, with deadlines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
PROGRAM = TESTS / "launchers" / "ranks.py"

#: Two MPI libraries do not go into one environment: each has a folder of its own (Makefile).
PREFIX = Path(sys.prefix) / "mpi"

#: Stands in for ssh, and takes a host to be a UTS namespace: a name of its own is all it has.
AGENT = TESTS / "support" / "uts_agent.sh"

PATIENCE = 300  # seconds for a run, in a machine that is emulated on a busy one

_TOKEN = "PYMIGRATE_TEST_RUN"  # noqa: S105  no password: tells whose processes these are


@dataclass(frozen=True)
class Engine:
    """An MPI library, and how its processes are started.

    Attributes:
        name: Of the package, and of its folder.
        soname: Of the library.
        start: The command, before the number of ranks.
        hosts: What more it takes to run on two hosts, of two ranks each.
    """

    name: str
    soname: str
    start: tuple[str, ...]
    hosts: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return PREFIX / self.name

    def command(self, count: int) -> list[str]:
        """What starts so many ranks of a program that is named after it."""
        program, *options = self.start
        return [str(self.folder / "bin" / program), *options, "-n", str(count)]

    def environment(self) -> dict[str, str]:
        """What has mpi4py load this library."""
        return {"MPI4PY_LIBMPI": str(self.folder / "lib" / self.soname)}

    def run(self, count: int, scenarios: Sequence[str], *options: str) -> list[dict[str, Any]]:
        """Runs scenarios of ``launchers/ranks.py``; what each rank has answered, by rank.

        Args:
            count: Ranks.
            scenarios: Their names.
            options: Of the engine's command.
        """
        command = [*self.command(count), *options, *rank_program(*scenarios)]
        return run(command, self.environment())


MPICH = Engine("mpich", "libmpi.so.12", ("mpiexec",), ("-launcher-exec", str(AGENT)))
OPEN_MPI = Engine(
    "openmpi",
    "libmpi.so.40",
    ("mpirun", "--allow-run-as-root", "--oversubscribe"),
    ("--prtemca", "plm_ssh_agent", str(AGENT), "--map-by", "ppr:2:node:oversubscribe"),
)
ENGINES = (MPICH, OPEN_MPI)


def rank_program(*scenarios: str) -> list[str]:
    """The command of one rank. An error that it does not catch ends all of them (mpi4py.run)."""
    return [sys.executable, "-m", "mpi4py", str(PROGRAM), *scenarios]


def run(command: Sequence[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Runs ranks to their end, and sees to it that nothing of them is left.

    Returns:
        What they have written, in the order of their ranks.
    """
    token = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        variables = {_TOKEN: token, "PYMIGRATE_TEST_RESULTS": folder, "PYTHONPATH": str(TESTS)}
        with subprocess.Popen(
            command,
            env={**os.environ, **environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as launcher:
            try:
                told, _ = launcher.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                launcher.terminate()  # it ends its ranks
                raise
        assert launcher.returncode == 0, told
        answers = [json.loads(path.read_text()) for path in Path(folder).iterdir()]
    _wait_until_gone(token)
    return sorted(answers, key=lambda answer: (answer["rank"], answer["pid"]))


def _wait_until_gone(token: str) -> None:
    deadline = time.monotonic() + 10
    while _running(token):
        assert time.monotonic() < deadline, f"left running: {_running(token)}"
        time.sleep(0.05)


def _running(token: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_TOKEN}={token}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found
