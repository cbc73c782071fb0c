"""Two emulated machines with four nodes each, and one Slurm job over both, moved by one command."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from lab import LabError, Machine
from support.holders import PAGES
from support.slurm import furnish, missing, wait_for
from support.two_machines import HOSTS, TASKS

pytestmark = pytest.mark.cluster

TESTS = Path(__file__).resolve().parents[1]
PATIENCE = 900  # seconds for both machines together, on a host that has other work too


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_one_job_over_two_machines() -> None:
    lacking = missing()
    if lacking:
        pytest.skip(f"Slurm needs {lacking}")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pymigrate-machines-") as room:
        furnish(Path(room), HOSTS, cpus=4, cgroups=True)
        (Path(room) / "key").write_bytes(os.urandom(128))
        script = ["sh", str(TESTS / "support" / "member.sh"), room]
        env = {**os.environ, "PYTHONPATH": str(TESTS)}
        first = Machine(network=f"listen=127.0.0.1:{port}", memory="1G")
        second = Machine(network=f"connect=127.0.0.1:{port}", memory="1G")
        said = bytearray()
        drive = ["--", sys.executable, "-m", "support.two_machines"]
        argv = [*script, "h1", "10.0.0.1/16", "10.0.1.1/16", *drive]
        worker = threading.Thread(
            target=lambda: first.run(argv, env=env, stdout=said.extend, timeout=PATIENCE)
        )
        worker.start()
        try:
            # The listening end is there as soon as its emulator runs; that takes a moment.
            wait_for_listener(port)
            with second.boot([*script, "h2", "10.0.1.2/16"], env=env), suppress(LabError):
                worker.join(PATIENCE)
        finally:
            worker.join()
    line = next(line for line in said.decode().splitlines() if line.startswith("{"))
    result = json.loads(line)
    assert result["status"] == 0, result["error"]
    report = result["report"]
    assert [row["host"] for row in report["hosts"]] == list(HOSTS)
    assert [row["rank"] for row in report["ranks"]] == list(range(TASKS))
    assert report["total"]["pages"]["moved"] >= TASKS * PAGES
    assert {told["host"] for told in result["told"]} == set(HOSTS)
    for told in result["told"]:
        assert (told["nodes"], told["intact"]) == ({"3": PAGES}, True)


def wait_for_listener(port: int) -> None:
    """Until somebody listens there, as the kernel tells: to connect would take the cable."""
    wanted = f":{port:04X} 00000000:0000 0A "
    wait_for(lambda: wanted in Path("/proc/net/tcp").read_text())
