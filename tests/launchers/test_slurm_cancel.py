"""A cancel reaches every host of a Slurm job, whatever ends the command."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.job_command import COMMAND, begun, held, steps
from support.slurm import Slurm, child_of, wait_for


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_cancel_reaches_every_host(
    cluster: Slurm, job: str, folder: Path, number: signal.Signals
) -> None:
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", "--json", *held(folder)) as command:
        wait_for(lambda: begun(folder) == 4)
        os.kill(child_of(command.pid) or command.pid, number)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert [row["outcome"] for row in report["hosts"]] == ["cancelled"] * 4
    assert [row["finding"] for row in report["hosts"]] == [""] * 4  # they have answered
    assert report["processes"] == 8


def test_a_look_that_was_to_stop_comes_to_its_end_and_says_so(
    cluster: Slurm, job: str, folder: Path
) -> None:
    with cluster.start(*COMMAND, f"slurm:{job}", "--show", "--json", *held(folder)) as command:
        wait_for(lambda: begun(folder) == 4)
        os.kill(child_of(command.pid) or command.pid, signal.SIGINT)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert (report["outcome"], report["processes"]) == ("done", 8)


def test_a_cancel_from_the_terminal(cluster: Slurm, job: str, folder: Path) -> None:
    """It interrupts all of the process group, and srun is none of it."""
    call = ["setsid", *COMMAND, f"slurm:{job}", "0", "0", "--json", *held(folder)]
    with cluster.start(*call) as command:
        wait_for(lambda: begun(folder) == 4)
        os.killpg(child_of(command.pid), signal.SIGINT)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    told = [(row["outcome"], row["finding"]) for row in report["hosts"]]
    assert told == [("cancelled", "")] * 4  # they have answered
    assert report["processes"] == 8


def test_a_cancel_while_slurm_is_asked(cluster: Slurm, job: str, folder: Path) -> None:
    """It is no failure of Slurm, which is asked for the hosts still."""
    squeue = folder / "squeue"
    squeue.write_text(
        f"#!/bin/sh\ntouch {folder}/begun.squeue\nuntil [ -e {folder}/go ]; do sleep 0.05; done\n"
        f'exec {shutil.which("squeue")} "$@"\n'
    )
    squeue.chmod(0o755)
    path = f"PATH={folder}:{os.environ['PATH']}"
    call = ["setsid", "env", path, *COMMAND, f"slurm:{job}", "0", "0", "--json"]
    with cluster.start(*call) as command:
        wait_for(lambda: begun(folder) == 1)
        os.killpg(child_of(command.pid), signal.SIGINT)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert [row["outcome"] for row in report["hosts"]] == ["cancelled"] * 4


def test_a_lost_terminal_is_a_cancel(cluster: Slurm, job: str, folder: Path) -> None:
    """Nobody reads the report, and the bar cannot be drawn; the helpers are told to stop."""
    ours, theirs = pty.openpty()
    call = [*COMMAND, f"slurm:{job}", "0", "0", *held(folder)]
    controlled = [sys.executable, "-c", CONTROLLED, *cluster.command(*call)]
    with subprocess.Popen(
        controlled, start_new_session=True, stdin=theirs, stdout=theirs, stderr=theirs
    ) as command:
        os.close(theirs)
        wait_for(lambda: begun(folder) == 4)
        os.close(ours)
        (folder / "go").touch()
        command.wait(60)
    wait_for(lambda: steps(cluster, job) == [f"{job}.0"])


# Makes standard input the terminal that controls it, as a login does.
CONTROLLED = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_no_helper_outlives_its_launcher(cluster: Slurm, job: str, folder: Path) -> None:
    """Not even where that is killed on the spot."""
    with cluster.start(*COMMAND, f"slurm:{job}", "0", "0", *held(folder)) as command:
        wait_for(lambda: begun(folder) == 4)
        cluster.run("pkill", "-KILL", "-f", f"pymigrate job slurm:{job} 0 0 --command")
        (folder / "go").touch()
        command.wait(60)
    wait_for(lambda: steps(cluster, job) == [f"{job}.0"])
    assert len(cluster.tasks(job)) == 8
