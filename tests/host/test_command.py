"""The command as installed, and as people call it: from a program, in a shell, in a pipe."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL, ESRCH
from pathlib import Path

import pytest
from support.processes import ended, idle_process, zombie

import pymigrate
from pymigrate import NodeMask

HERE = str(NodeMask.has_memory())
COMMAND = [str(Path(sysconfig.get_path("scripts")) / "pymigrate")]
MODULE = [sys.executable, "-m", "pymigrate"]

Run = subprocess.CompletedProcess[str]


def run(*arguments: object, command: list[str] = COMMAND) -> Run:
    """The command, from its start to its end."""
    words = [*command, *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, cwd="/")


def shell(script: str, buffered: bool) -> Run:
    """A script of bash, in which $0 is the command."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    return subprocess.run(
        ["bash", "-c", script, *COMMAND],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("command", [COMMAND, MODULE], ids=["command", "module"])
def test_migrate(command: list[str]) -> None:
    with idle_process() as pid:
        done = run("migrate", pid, HERE, HERE, command=command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"pid {pid}, ")
    assert re.search(r"^ +left behind +0 pages", done.stdout, re.MULTILINE)


def test_migrate_as_json() -> None:
    with idle_process() as pid:
        done = run("migrate", "--json", pid, HERE, "all")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["pid"], report["complete"], report["left_behind"]) == (pid, True, 0)
    assert report["asked"] == report["already_there"] > 0


ORDERS = [
    "--rate 1G PID HERE HERE --json",
    "PID --rate 1G HERE HERE --json",
    "PID HERE --rate 1G HERE --json",
    "--json PID HERE HERE --rate 1G",
    "PID --json --map HERE:HERE",
]


@pytest.mark.parametrize("words", ORDERS)
def test_options_stand_anywhere(words: str) -> None:
    with idle_process() as pid:
        line = words.replace("PID", str(pid)).replace("HERE", HERE)
        done = run("migrate", *line.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["pid"] == pid


def test_a_map_beside_nodes() -> None:
    done = run("migrate", "1", "--map", "0:1", "0", "1")
    assert done.returncode == 2
    assert done.stderr == (
        "pymigrate: give the nodes OLD and NEW, or --map OLD:NEW in their place\n"
    )


def test_a_helper_ends_while_its_leash_is_held() -> None:
    """Whoever holds the other end of its standard input need not let go of it first."""
    words = [*COMMAND, "job", "cgroup:nobody/here", "home", "--here", "--leash"]
    leash, other_end = os.pipe()
    try:
        done = subprocess.run(words, check=False, stdin=leash, capture_output=True, cwd="/")
    finally:
        os.close(leash)
        os.close(other_end)
    assert (done.returncode, done.stderr) == (2, b"")
    assert b"no cgroup" in done.stdout


@pytest.mark.parametrize("leash", ["<&-", "</dev/null", "0>/dev/null"])
def test_a_helper_without_a_leash_begins_with_nothing(leash: str, tmp_path: Path) -> None:
    with idle_process() as pid:
        (tmp_path / "cgroup.procs").write_text(f"{pid}\n")
        done = shell(f"$0 job cgroup:{tmp_path} 0 0 --here --leash {leash}", True)
    assert (done.returncode, done.stderr) == (130, "")
    assert '"outcome":"cancelled"' in done.stdout


def test_an_ended_process() -> None:
    pid = ended()
    done = run("migrate", pid, HERE, HERE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"pymigrate: pid {pid}: there is no process or thread with that id"
    )
    assert done.stderr.count("\n") == 1


def test_a_zombie() -> None:
    with zombie() as pid:
        done = run("migrate", "--json", pid, HERE, HERE)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert done.stderr == f"pymigrate: {error['message']}\n"
    assert (error["type"], error["reason"], error["errno"]) == ("NoUserMemory", "zombie", EINVAL)


@pytest.mark.parametrize("subcommand", ["migrate", "check", "migrate --dry-run"])
def test_an_error_as_json(subcommand: str) -> None:
    pid = ended()
    done = run(*subcommand.split(), "--json", pid, HERE, HERE)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert done.stderr == f"pymigrate: {error['message']}\n"
    assert (error["type"], error["reason"], error["errno"]) == ("NoSuchProcess", "gone", ESRCH)


def test_an_error_of_a_plan_as_json() -> None:
    done = run("plan", "--json", "0", f"!{NodeMask.allowed()}")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["type"], error["reason"], error["errno"]) == ("InvalidNodes", None, None)


def test_wrong_arguments() -> None:
    done = run("migrate", 1, "0-x", 0)
    assert (done.returncode, done.stdout) == (2, "")
    assert "node list '0-x', position 2" in done.stderr


def test_version() -> None:
    assert run("--version").stdout == f"pymigrate {pymigrate.__version__}\n"


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", ["plan 0 1", "plan --json 0 1", "--help", "--version"])
@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_output_that_nobody_takes(arguments: str, output: str, buffered: bool) -> None:
    done = shell(f"$0 {arguments} {output}", buffered)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        "plan 0 1",
        "show $$",
        "show --json $$",
        "nodes",
        f"check $$ {HERE} {HERE}",
        f"migrate $$ {HERE} {HERE}",
        "--version",
    ],
)
def test_a_broken_pipe_is_the_same_for_all(arguments: str, buffered: bool) -> None:
    if arguments.split()[0] in ("show", "nodes"):
        pytest.importorskip("rich")
    # The pipe has no reader any more when the command is started.
    done = shell(f"{{ sleep 0.1; $0 {arguments}; echo $? >&2; }} | true; wait", buffered)
    assert done.stderr == "pymigrate: standard output: Broken pipe\n2\n"


@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk(buffered: bool) -> None:
    done = shell("$0 plan 0 1 >/dev/full", buffered)
    assert done.returncode == 2
    assert done.stderr == "pymigrate: standard output: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_that_the_encoding_has_no_letters_for(encoding: str, tmp_path: Path) -> None:
    pytest.importorskip("rich")
    program = tmp_path / "sl\u00e9ep\u20ac"
    shutil.copy("/bin/sleep", program)
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    with subprocess.Popen([program, "1000"]) as process:
        shown = subprocess.run(
            [*COMMAND, "show", str(process.pid)], check=False, capture_output=True, env=environment
        )
        process.kill()
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert program.name.encode(encoding, "backslashreplace") in shown.stdout


@contextmanager
def taken_by_nobody(kind: str) -> Iterator[int]:
    """A descriptor to write to, in vain."""
    if kind == "full disk":
        writer = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, writer = os.openpty() if kind == "terminal that hung up" else os.pipe()
        os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@pytest.mark.parametrize("kind", ["full disk", "broken pipe", "terminal that hung up"])
@pytest.mark.parametrize(
    "words",
    [
        ["migrate", "--progress", str(os.getpid()), HERE, HERE],
        ["job", "--progress", "cgroup:nobody/here", "--show", "--hosts", "nobody.invalid"],
    ],
    ids=["migrate", "job"],
)
def test_a_bar_that_nobody_sees_takes_no_report_with_it(words: list[str], kind: str) -> None:
    pytest.importorskip("rich")
    if words[0] == "job":
        pytest.importorskip("ClusterShell")
    with taken_by_nobody(kind) as stderr:
        done = subprocess.run(
            [*COMMAND, *words, "--json"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd="/",
        )
    report = json.loads(done.stdout)
    assert done.returncode == report.get("exit_status", 0)


def test_a_helper_whose_launcher_is_gone_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n")
    words = ["job", f"cgroup:{tmp_path}", "--show", "--here", "--leash"]
    with taken_by_nobody("broken pipe") as stdout:
        command = [*COMMAND, *words]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, cwd="/"
        ) as helper:
            status = helper.wait(60)
            assert helper.stderr
            assert helper.stderr.read() == b"pymigrate: standard output: Broken pipe\n"
    assert status == 2


def test_a_host_without_the_job_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").touch()
    done = shell(f"$0 job cgroup:{tmp_path} 0 0 --here --json", False)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["type"], error["reason"]) == (2, "NoSuchJob", "unknown")
    assert f"no process of cgroup:{tmp_path} was found on this host" in error["message"]


#: The command, once with all that it needs loaded, and then without another file to be had.
STRAY = """
import resource, sys
from pymigrate.cli import main
assert main(["nodes", "--json"]) == 0
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
sys.exit(main(["nodes", "--json"]))
"""


def test_an_error_that_is_none_of_the_output_does_not_blame_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STRAY],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",  # where there is no checkout to import from
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "standard output" not in line
    assert re.match(r"pymigrate: .*Too many open files", line)
