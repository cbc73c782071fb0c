"""Ctrl-C and its like, and a process that ends: what a command says, whenever they come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from support import requires
from support.processes import idle_process

from pymigrate import Cpuset, NodeMask

HERE = str(NodeMask.has_memory())
STOPS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
COMMAND = str(Path(sysconfig.get_path("scripts")) / "pymigrate")

# Runs the command, and gets a signal when a module is looked for.
STOPPED_BY_IMPORT = """\
import os, sys
_, module, number, *sys.argv[1:] = sys.argv
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Stop())
from pymigrate.cli import main
sys.exit(main())
"""

# Runs the command, and gets a signal before each thing that it writes, and before that is flushed.
STOPPED_BY_OUTPUT = """\
import os, signal, sys
from pymigrate.cli import main
write, flush = sys.stdout.write, sys.stdout.flush
def stopped_write(text):
    os.kill(os.getpid(), signal.SIGTERM)
    sys.stdout.flush = stopped_flush
    return write(text)
def stopped_flush():
    os.kill(os.getpid(), signal.SIGINT)
    flush()
sys.stdout.write = stopped_write
sys.exit(main())
"""

# Waits as a command does, and gets two kinds of signals by the thousand.
FLOODED = """\
import os, signal, threading
from pymigrate.cli.interrupt import on_interrupt
def flood():
    for _ in range(10_000):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
with on_interrupt(lambda: None) as interrupt:
    thread = threading.Thread(target=flood)
    thread.start()
    while thread.is_alive():
        interrupt.wait(0.001)
    print("heard" if interrupt.wait(0) else "not heard")
"""


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize(
    "module", ["pymigrate.cli.command", "argparse", "dataclasses", "pymigrate.operations.migration"]
)
def test_during_the_imports(module: str, number: signal.Signals) -> None:
    program = [sys.executable, "-c", STOPPED_BY_IMPORT, module, str(int(number)), "plan", "0", "1"]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "pymigrate: stopped\n")


def test_before_the_signals_are_handled() -> None:
    program = [sys.executable, "-c", STOPPED_BY_IMPORT, "pymigrate.cli.interrupt", "2", "plan"]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "pymigrate: stopped\n")


def test_a_signal_that_the_parent_ignores_stays_ignored() -> None:
    script = "trap '' INT TERM HUP; exec \"$@\""
    program = [sys.executable, "-c", STOPPED_BY_IMPORT, "argparse", "2", "plan", "0", "1"]
    words = ["sh", "-c", script, "sh", *program]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 -> 1\n", "")


def test_signals_on_top_of_signals() -> None:
    """One handler may interrupt another one at any instruction."""
    done = subprocess.run(
        [sys.executable, "-c", FLOODED],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    assert done.stdout == "heard\n"


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("command", ["migrate {} 0 0", "migrate {},{} 0 0", "home {}"])
def test_while_the_report_is_printed(command: str, as_json: list[str]) -> None:
    with idle_process() as pid:
        done = stopped_by_output(*command.replace("{}", str(pid)).split(), *as_json)
    assert '"outcome": "done"' in done if as_json else ": done in " in done


@pytest.mark.parametrize("way", [["--here"], ["--here", "--leash"], ["--hosts", "nobody.invalid"]])
def test_while_the_report_of_hosts_is_printed(way: list[str]) -> None:
    if "--hosts" in way:
        pytest.importorskip("ClusterShell")
    done = stopped_by_output("job", "cgroup:nobody/here", "home", "--json", *way)
    assert '"failed"' in done


@requires.root
def test_while_the_report_of_a_cgroup_is_printed() -> None:
    group = Path(Cpuset.of(os.getpid()).folder) / f"pymigrate-test-{os.getpid()}"
    group.mkdir()
    try:
        if not (group / "cpuset.mems").exists():
            pytest.skip("the cgroup of the tests has no cpuset for those below")
        done = stopped_by_output("relocate", str(group), "--mems", HERE)
    finally:
        group.rmdir()
    assert f" -> {HERE}\n" in done


def stopped_by_output(*words: str) -> str:
    """What a command has printed that is told to stop all the while it prints."""
    program = [sys.executable, "-c", STOPPED_BY_OUTPUT, *words]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as done:
        assert done.stdout
        return done.stdout.read().decode()


@pytest.mark.parametrize("number", STOPS)
def test_while_it_waits_to_look_again(number: signal.Signals) -> None:
    """The migration is complete by then, so its report and its outcome are what counts."""
    with idle_process() as pid:
        words = [COMMAND, "migrate", str(pid), HERE, HERE, "--look-again", "600s"]
        command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until_idle(command.pid)
        command.send_signal(number)
        out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
    assert out.startswith(f"pid {pid}, ")
    assert ": done in " in out


def test_a_process_that_ends_before_it_is_looked_at_again() -> None:
    with idle_process() as pid:
        words = [COMMAND, "migrate", str(pid), HERE, HERE, "--look-again", "3s"]
        command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until_idle(command.pid)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0
    assert ": done in " in out
    assert err.startswith(f"pymigrate: pid {pid}: there is no process or thread with that id")


def wait_until_idle(pid: int) -> None:
    """Waits until a process has slept for half a second, or has ended."""
    quiet_since, ticks = time.monotonic(), ""
    while time.monotonic() - quiet_since < 0.5:
        time.sleep(0.05)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] == "Z":
            return
        if (fields[0], now := f"{fields[11]} {fields[12]}") != ("S", ticks):
            quiet_since, ticks = time.monotonic(), now
