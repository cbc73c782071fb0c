"""The examples for launchers, where memory really moves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest
from support import requires
from support.followers import EXAMPLES, QUICK, wait_for_followers

from pymigrate import residency, topology

pytestmark = [requires.root, pytest.mark.numa, pytest.mark.usefixtures("calm")]


def bind(pid: int, node: int) -> None:
    os.sched_setaffinity(pid, topology()[node].cpus)


def test_workers_that_are_bound_late_have_nothing_remote_in_the_end() -> None:
    """They all start on node 0, and are bound to nodes 0 to 3 when they have their memory."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "late_binding.py"), "--workers=4", "--size=16"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: bind(0, 0),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line = r"worker (\d) on node (\d): (\d+)% remote before, (\d+)% after, (\d+) pages moved"
    rows = [tuple(map(int, row)) for row in re.findall(line, done.stdout)]
    assert [row[:2] for row in rows] == [(0, 0), (1, 1), (2, 2), (3, 3)], done.stdout
    for rank, _, before, after, moved in rows:
        assert after == 0, done.stdout
        if rank:
            assert before > 90, done.stdout
            assert moved >= 4096, done.stdout  # 16 MiB


PROGRAM = """
import sys
memory = b"x" * (16 << 20)
print("loaded", flush=True)
sys.stdin.read()
assert memory.count(b"x") == 16 << 20
"""


def test_what_runs_with_a_follower_has_its_memory_where_it_is_bound() -> None:
    command = [sys.executable, str(EXAMPLES / "followed.py"), sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYMIGRATE_FOLLOW": QUICK},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: bind(0, 0),
    ) as program:
        assert program.stdout
        assert program.stdin
        assert program.stdout.readline() == "loaded\n"
        assert residency(program.pid).pages(0, "anonymous") >= 4096
        wait_for_followers(program.pid, 1)
        bind(program.pid, 3)
        deadline = time.monotonic() + 300
        while residency(program.pid).pages(3, "anonymous") < 4096:
            assert time.monotonic() < deadline, residency(program.pid)
            time.sleep(0.05)
        program.stdin.close()
    assert program.returncode == 0
    wait_for_followers(program.pid, 0)
