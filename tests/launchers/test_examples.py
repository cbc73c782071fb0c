"""The examples for launchers, each run as far as its engine can be had."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Callable

import pytest
from support.followers import EXAMPLES, QUICK, followers, wait_for_followers
from support.slurm import Slurm, wait_for

#: A program that says its pid and its name, and ends with its input.
PROGRAM = "import os, sys; print(os.getpid(), sys.argv, flush=True); sys.stdin.read()"


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[tuple[int, IO[str]]]:
    """A program that has been started: its pid, and what it says. It ends with the block."""
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield process.pid, process.stdout
        process.stdin.close()
    assert process.returncode == 0


def test_a_program_is_followed_until_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, str(EXAMPLES / "followed.py"), sys.executable, "-c", PROGRAM, "-x"]
    with running(command, PYMIGRATE_FOLLOW=QUICK, PYMIGRATE_FOLLOW_LOG=str(log)) as (pid, told):
        assert told.readline() == f"{pid} ['-c', '-x']\n"  # the wrapper has become it
        (follower,) = wait_for_followers(pid, 1)
        status = Path(f"/proc/{follower}/status").read_text()
        assert f"PPid:\t{pid}\n" not in status
    wait_for_followers(pid, 0)
    # It may have ended before the follower had begun, and that is all that may be wrong.
    assert log.read_text() == "" or "there is no process" in log.read_text()


def refused(example: str, *arguments: str, **environment: str) -> str:
    """What an example says, in one line, that does not do what it is asked to."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode not in (0, -6)
    assert "runs" not in done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_what_cannot_be_followed_is_not_started(tmp_path: Path) -> None:
    """Each is told in a line, and the program does not run without what was asked for."""
    program = (sys.executable, "-c", "print('runs')")
    told = refused("followed.py", *program, PYMIGRATE_FOLLOW="'a")
    assert told == 'followed.py: PYMIGRATE_FOLLOW="\'a": No closing quotation'
    log = tmp_path / "no" / "log"
    told = refused("followed.py", *program, PYMIGRATE_FOLLOW_LOG=str(log))
    assert told.startswith("followed.py: PYMIGRATE_FOLLOW_LOG: ")
    assert str(log) in told
    bare = tmp_path / "python"
    bare.symlink_to(sys.executable)
    done = subprocess.run(
        [bare, EXAMPLES / "followed.py", *program], capture_output=True, text=True, check=False
    )
    assert f"there is no {tmp_path}/pymigrate: use the interpreter that has" in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    told = refused("followed.py", "no-such-program")
    assert told == "followed.py: no-such-program: No such file or directory"


def test_a_program_is_all_that_is_required() -> None:
    told = refused("followed.py")
    assert told == "followed.py: error: the following arguments are required: program"


def test_a_prolog_says_what_is_wrong() -> None:
    told = refused("slurm_task_prolog.py", PYMIGRATE_FOLLOW="'a", SLURM_TASK_PID="1")
    assert told.endswith("No closing quotation")
    assert "SLURM_TASK_PID" in refused("slurm_task_prolog.py", PYMIGRATE_FOLLOW="")


@pytest.mark.parametrize("option", ["--workers=0", "--size=0", "--workers=two"])
def test_workers_that_are_none(option: str) -> None:
    assert "is no number above 0" in refused("late_binding.py", option)


def test_workers_that_are_bound_late() -> None:
    """On one node all are at home; where memory moves is shown in tests/numa."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "late_binding.py"), "--workers=3", "--size=4"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *workers, last = done.stdout.splitlines()
    assert [line.split(" on node")[0] for line in workers] == ["worker 0", "worker 1", "worker 2"]
    assert all(" remote before, 0% after, " in line for line in workers)
    assert last == "all workers have what they had"


#: A program of eight threads, each of which ends when it has started another one.
CHAINS = """
import sys, threading, time
def link():
    time.sleep(0.0005)
    threading.Thread(target=link, daemon=True).start()
for _ in range(8):
    link()
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one CPU to be bound to")
def test_threads_that_come_and_go_while_they_are_bound() -> None:
    bind = runpy.run_path(str(EXAMPLES / "late_binding.py"))["bind"]
    cpu = min(os.sched_getaffinity(0))
    with running([sys.executable, "-c", CHAINS]) as (pid, told):
        told.readline()
        bind(pid, {cpu})
        for _ in range(5):
            assert allowed(pid) == {str(cpu)}


def allowed(pid: int) -> set[str]:
    """The CPUs of the threads of a process, as the kernel lists them."""
    found = set()
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with suppress(OSError):  # it has ended
            found |= set(re.findall("Cpus_allowed_list:\t(.*)", status.read_text()))
    return found


#: A task that waits until somebody follows it, in its own namespace of pids.
TASK = """
import json, os
from support.followers import wait_for_followers
found = len(wait_for_followers(os.getpid(), 1))
print(json.dumps([os.getpid(), os.environ["PYMIGRATE_FOLLOWED"], found]))
"""


@pytest.fixture
def prolog(tmp_path: Path) -> Path:
    """The example, run by the interpreter of these tests."""
    script = tmp_path / "prolog"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} {EXAMPLES}/slurm_task_prolog.py\n")
    script.chmod(0o755)
    return script


def test_slurm_task_prolog(cluster: Slurm, prolog: Path) -> None:
    """Slurm runs it before each task, and the task is followed; with the step all has ended."""
    variables = {"PYMIGRATE_FOLLOW": QUICK, "PYTHONPATH": str(Path(__file__).parents[1])}
    export = f"--export=ALL,{','.join(f'{name}={value}' for name, value in variables.items())}"
    step = ["srun", "--nodes=2", "--ntasks=2", export, f"--task-prolog={prolog}"]
    done = cluster.run(*step, sys.executable, "-c", TASK)
    tasks = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(tasks) == 2
    for pid, told, count in tasks:
        assert (int(told), count) == (pid, 1)
    for pid, _, _ in tasks:
        wait_for_followers(pid, 0)


def test_slurm_task_prolog_that_fails(cluster: Slurm, prolog: Path) -> None:
    """The task is not started without its follower, and its user is told why."""
    step = [
        "srun",
        "--ntasks=1",
        "--export=ALL,PYMIGRATE_FOLLOW=--rate=1G,PYMIGRATE_FOLLOW_LOG=/no/such/log",
        f"--task-prolog={prolog}",
    ]
    done = cluster.run(*step, "echo", "runs", check=False)
    assert done.returncode != 0
    assert done.stdout.startswith("followed.py: PYMIGRATE_FOLLOW_LOG: ")
    assert done.stdout.rstrip().endswith("'/no/such/log'")


def test_slurm_task_prolog_alone(cluster: Slurm, tmp_path: Path) -> None:
    """What it lacks is told to those whose tasks fail for it, and others need it not."""
    script = shutil.copy(EXAMPLES / "slurm_task_prolog.py", tmp_path)
    prolog = tmp_path / "prolog"
    prolog.write_text(f"#!/bin/sh\nexec {sys.executable} {script}\n")
    prolog.chmod(0o755)
    step = ["srun", "--ntasks=1", f"--task-prolog={prolog}"]
    done = cluster.run(*step, "--export=ALL,PYMIGRATE_FOLLOW=", "echo", "runs", check=False)
    assert done.returncode != 0
    assert done.stdout == f"slurm_task_prolog.py: there is no followed.py in {tmp_path}\n"
    assert cluster.run(*step, "echo", "runs").stdout == "runs\n"


def test_slurm_task_prolog_leaves_others_alone(cluster: Slurm, prolog: Path) -> None:
    step = ["srun", "--ntasks=1", f"--task-prolog={prolog}"]
    done = cluster.run(*step, "sh", "-c", 'echo "<$PYMIGRATE_FOLLOWED>"')
    assert done.stdout == "<>\n"


def test_pbs_hook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no PBS here, and that pbs_mom calls the hook is not shown.

    What is shown: it runs on an event that has the attributes of the Hooks Guide, by a stand-in for
    the module ``pbs``; and what it makes of the program of a job is a command that runs, as the
    same program under its own name, and is followed, whatever Python the job has set up for itself.
    """
    config = tmp_path / "pymigrate.json"
    wrapper = {"python": sys.executable, "followed": str(EXAMPLES / "followed.py")}
    config.write_text(json.dumps(wrapper))

    def accept() -> None:
        raise SystemExit  # as that of PBS does

    def hooked(environment: dict[str, str], config: Path | None = config) -> SimpleNamespace:
        program = ["-shell", "-I", "-c", PROGRAM]
        event = SimpleNamespace(
            progname=sys.executable, argv=program, env=environment, accept=accept, reject=sys.exit
        )
        standin = SimpleNamespace(event=lambda: event, hook_config_filename=config and str(config))
        monkeypatch.setitem(sys.modules, "pbs", standin)
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(EXAMPLES / "pbs_execjob_launch.py"))
        event.told = left.value.code
        return event

    assert hooked({}).argv == ["-shell", "-I", "-c", PROGRAM]
    assert hooked({"PYMIGRATE_FOLLOW": ""}, None).told == (
        "pbs_execjob_launch.py: import its configuration into the hook, as application/x-config"
    )
    log = tmp_path / "log"
    environment = {"PYMIGRATE_FOLLOW": QUICK, "PYMIGRATE_FOLLOW_LOG": str(log)}
    environment |= {"PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "argparse.py").write_text("raise RuntimeError('of the job')")
    event = hooked(environment)
    assert event.progname == event.argv[0] == sys.executable
    with running(event.argv, **environment) as (pid, told):
        assert told.readline() == f"{pid} ['-c']\n"
        assert Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"-shell\0")
        (follower,) = wait_for_followers(pid, 1)
        assert log.read_text() == ""
        assert b"--session" in Path(f"/proc/{follower}/cmdline").read_bytes().split(b"\0")
        # The session is that of these tests, which does not end: in a job it would.
        os.kill(follower, 15)
    wait_for_followers(pid, 0)


#: The part of Flux's shell that the example uses (flux-shell-initrc(5)).
FLUX = """
plugin = { register = function (it) registered = it end }
shell = {
    getenv = function (name) return os.getenv (name) end,
    die = function (message) io.stderr:write (message) os.exit (1) end,
}
task = { info = { pid = tonumber (arg[2]) } }
dofile (arg[1])
assert (registered.name == "pymigrate-follow" and #registered.handlers == 1)
assert (registered.handlers[1].topic == "task.fork")
registered.handlers[1].fn ("task.fork")
"""


@pytest.fixture
def flux_shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the example on the pid of a process, with variables of a job, set up for a pymigrate.

    There is no Flux here, and that its shell calls the handler is not shown. What is shown: the
    example is Lua, and registers a handler in the words of the manual page; that handler, called
    with the pid of a process, has the process followed.
    """
    lua = shutil.which("lua5.1")
    if lua is None:
        pytest.skip("lua5.1 is missing: scripts/bootstrap launchers installs it")
    standin, example = tmp_path / "flux.lua", tmp_path / "it's flux_shell.lua"
    standin.write_text(FLUX)

    def run(pid: int, pymigrate: Path, **job: str) -> subprocess.CompletedProcess[str]:
        text = (EXAMPLES / "flux_shell.lua").read_text()
        assert text.count('"/opt/pymigrate/bin/pymigrate"') == 1
        example.write_text(text.replace("/opt/pymigrate/bin/pymigrate", str(pymigrate)))
        plain = {name: text for name, text in os.environ.items() if "PYMIGRATE" not in name}
        return subprocess.run(
            [lua, standin, example, str(pid)],
            env={**plain, **job},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


PYMIGRATE = Path(sys.executable).with_name("pymigrate")


def test_flux_shell(
    flux_shell: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    apart = tmp_path / "it's here"
    apart.symlink_to(PYMIGRATE)
    with running([sys.executable, "-c", PROGRAM]) as (pid, told):
        told.readline()
        assert flux_shell(pid, tmp_path / "nobody").returncode == 0  # has asked
        assert followers(pid) == []
        assert flux_shell(pid, apart, PYMIGRATE_FOLLOW=QUICK).returncode == 0
        wait_for_followers(pid, 1)
    wait_for_followers(pid, 0)


def test_flux_shell_tells_what_is_wrong(
    flux_shell: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """And the job ends, by shell.die(); what followers tell is in their file."""
    log = tmp_path / "it's a log"
    done = flux_shell(1, tmp_path / "nobody", PYMIGRATE_FOLLOW="")
    assert done.returncode == 1
    assert done.stderr == f"pymigrate-follow: there is no {tmp_path}/nobody to be run"
    odd = {"PYMIGRATE_FOLLOW": "", "PYMIGRATE_FOLLOW_LOG": str(log / "no")}
    done = flux_shell(1, PYMIGRATE, **odd)
    assert done.returncode == 1
    assert done.stderr.endswith(f"PYMIGRATE_FOLLOW= and PYMIGRATE_FOLLOW_LOG={log}/no")
    done = flux_shell(1, PYMIGRATE, PYMIGRATE_FOLLOW="'a")
    assert done.returncode == 1
    assert done.stderr.endswith("PYMIGRATE_FOLLOW='a and PYMIGRATE_FOLLOW_LOG=/dev/null")
    odd = {"PYMIGRATE_FOLLOW": "--odd", "PYMIGRATE_FOLLOW_LOG": str(log)}
    assert flux_shell(1, PYMIGRATE, **odd).returncode == 0
    wait_for(lambda: "--odd" in log.read_text())
