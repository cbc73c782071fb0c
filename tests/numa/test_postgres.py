"""A job that nobody here wrote: PostgreSQL, moved as a whole while clients work on it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import requires

from pymigrate import Job, residency, topology
from pymigrate.units import PAGE_SIZE

psutil = pytest.importorskip("psutil", reason="psutil is missing: pip install pymigrate-numa[job]")

OWNER = "postgres"
BUFFERS = 32 << 20


def programs() -> Path | None:
    """The folder of the newest PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return found[-1].parent if found and shutil.which("psql") else None


pytestmark = [
    requires.root,
    pytest.mark.managed,
    pytest.mark.numa(nodes=4, memory="768M"),
    pytest.mark.skipif(
        programs() is None, reason="PostgreSQL is missing: make test-managed installs it"
    ),
]


class Server:
    """A PostgreSQL of its own, which starts on the CPUs of node 0."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = programs()
        os.chown(folder, pwd.getpwnam(OWNER).pw_uid, -1)
        self.call("initdb", "--no-sync", "--auth=trust", "-D", folder / "data")
        options = f"-c shared_buffers={BUFFERS >> 10}kB -c fsync=off -c listen_addresses=''"
        options += f" -k {folder} -c shared_memory_type=mmap"
        self.call(
            "pg_ctl", "start", "-w", "-D", folder / "data", "-o", options, "-l", folder / "log"
        )
        self.pid = int((folder / "data/postmaster.pid").read_text().split()[0])

    def call(self, program: str, *arguments: Any) -> str:
        """Runs one of its programs; a failure is raised with what it said."""
        assert self._programs
        done = subprocess.run(
            [self._programs / program, *map(str, arguments)],
            user=OWNER,
            cwd=self._folder,
            env={"PGHOST": str(self._folder), "PATH": os.environ["PATH"], "LC_ALL": "C"},
            preexec_fn=lambda: os.sched_setaffinity(0, topology()[0].cpus),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}"
        return done.stdout

    def stop(self) -> None:
        """Ends it at once."""
        self.call("pg_ctl", "stop", "-m", "immediate", "-D", self._folder / "data")


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def clients(database: Server) -> Iterator[list[str]]:
    """Four clients at work until the end of the block; what pgbench says of each round."""
    told: list[str] = []
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            told.append(database.call("pgbench", "-n", "-c", 4, "-t", 25, "postgres"))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield told
    finally:
        enough.set()
        worker.join()


def bind(job: Job, node: int) -> None:
    """Lets all threads of a job run on the CPUs of a node only; those born meanwhile too."""
    cpus, bound = set(topology()[node].cpus), -1
    while bound:
        bound = 0
        for pid in job.pids():
            for thread in psutil.Process(pid).threads() if psutil.pid_exists(pid) else ():
                try:
                    if os.sched_getaffinity(thread.id) != cpus:
                        os.sched_setaffinity(thread.id, cpus)
                        bound += 1
                except ProcessLookupError:
                    continue


def test_it_moves_while_its_clients_work() -> None:
    with server() as database:
        database.call("pgbench", "-i", "-q", "-s", 1, "postgres")
        job = Job.tree(database.pid)
        with clients(database) as told:
            bind(job, 2)
            report = job.migration(0, 2, workers=2).run()
        assert told
        assert all("number of failed transactions: 0 (0.000%)" in text for text in told), told
        # What clients touched for the first time during the move may be there still.
        last = job.migration(0, 2).run()
        left = {
            pid: [residency(pid).pages(0, kind) for kind in ("anonymous", "shared")]
            for pid in job.pids()
        }
        assert not any(map(any, left.values())), left
        rows = database.call("psql", "-At", "-c", "select count(*) from pgbench_accounts")
    assert re.fullmatch(r"100000\n", rows)
    assert not report.failures
    shared = sum(part.by_kind["shared"].moved for part in report.reports.values())
    assert 0 < shared * PAGE_SIZE < BUFFERS * 1.5  # once, however many processes map it
    assert len(report.reports) >= 5
    assert last.complete or last.total.left_behind == 0
