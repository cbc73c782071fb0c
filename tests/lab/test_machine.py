"""The machine runs a command as if it ran here, and says clearly why where it cannot."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import GuestHung, Machine, Missing
from lab.kernel import KERNEL_VARIABLE

PROGRAM = """\
import json, os, sys
from pathlib import Path
from typing import Any

def read(path):
    return Path(path).read_text().strip()

Path("left-behind").touch()
sys.stderr.buffer.write(bytes(range(256)) * 1000)
facts = {
    "argument": sys.argv[1],
    "balancing": read("/proc/sys/kernel/numa_balancing"),
    "controllers": read("/sys/fs/cgroup/cgroup.controllers"),
    "cwd": os.getcwd(),
    "has_memory": read("/sys/devices/system/node/has_memory"),
    "input": sys.stdin.read(),
    "nodes": [len(list(node.glob("cpu[0-9]*")))
              for node in sorted(Path("/sys/devices/system/node").glob("node[0-9]*"))],
    "swap": read("/proc/swaps"),
    "user": os.geteuid(),
    "variable": os.environ["VARIABLE"],
}
with open("/dev/stdout", "w") as output:
    json.dump(facts, output)
os.kill(os.getpid(), 9)
"""


def test_a_command_runs_as_if_here(tmp_path: Path) -> None:
    machine = Machine(nodes=3, bare_nodes=1, memory="256M", swap="64M", balancing=True)
    output, errors = bytearray(), bytearray()
    status = machine.run(
        [sys.executable, "-c", PROGRAM, "two words"],
        cwd=tmp_path,
        env={"VARIABLE": "it's\nset"},
        stdin=b"typed",
        stdout=output.extend,
        stderr=errors.extend,
        timeout=120,
    )
    assert errors == bytes(range(256)) * 1000
    assert status == 128 + 9
    facts = json.loads(output)
    assert "cpuset" in facts.pop("controllers").split()
    assert "/dev/zram0" in facts.pop("swap")
    assert facts == {
        "argument": "two words",
        "balancing": "1",
        "cwd": str(tmp_path),
        "has_memory": "0-2",
        "input": "typed",
        "nodes": [2, 1, 1, 1],
        "user": 0,
        "variable": "it's\nset",
    }
    assert not list(tmp_path.iterdir())


def test_time_is_up() -> None:
    with pytest.raises(GuestHung, match="not done in time; the end of its console"):
        Machine().run(["true"], timeout=0.1)


def test_no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="install the package qemu-system-x86"):
        Machine().run(["true"])


@pytest.mark.parametrize(
    ("version", "root", "message"),
    [("1.0", None, f"not one of 5.10, .*set {KERNEL_VARIABLE}"), ("6.12", "/etc", "no kernel in")],
)
def test_no_kernel(
    monkeypatch: pytest.MonkeyPatch, version: str, root: str | None, message: str
) -> None:
    monkeypatch.delenv(KERNEL_VARIABLE, raising=False)
    if root:
        monkeypatch.setenv(KERNEL_VARIABLE, root)
    with pytest.raises(Missing, match=message):
        Machine(kernel=version).run(["true"])


@pytest.mark.parametrize("shape", [{"nodes": 5, "cpus": 5}, {"bare_nodes": 1}, {"cpus": 2}])
def test_what_nothing_emulates(shape: dict[str, Any]) -> None:
    assert "up to 4 nodes" in Machine(userland="riscv64", **shape).obstacle()
    assert Machine(userland="riscv64").obstacle() == Machine(**shape).obstacle() == ""
