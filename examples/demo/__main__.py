"""Moves a running Redis from one NUMA node to another, and shows that it went on and lost nothing.

On a machine with one node it starts the emulated machine of the tests, and runs again in there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from client import LiveClient
from server import RedisServer

from pymigrate import NodeMask

ROOT = Path(__file__).resolve().parents[2]
KEYS = 60_000
VALUE_BYTES = 512


def main() -> int:
    """Runs the demonstration where there are nodes to move between."""
    nodes = NodeMask.has_memory()
    if len(nodes) > 1:
        return demonstrate(old=nodes[0], new=nodes[-1])
    say("This machine has one NUMA node: starting an emulated one with four, in some seconds.")
    command = [sys.executable, "-m", "lab", "run", "--", sys.executable, str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def demonstrate(old: int, new: int) -> int:
    """Fills a server on one node, moves its memory to another, and compares what it holds."""
    say(f"Starting redis-server on the CPUs of node {old}, and filling it with {KEYS} keys.")
    with RedisServer(node=old) as server:
        server.fill(KEYS, VALUE_BYTES)
        before = server.digest()
        say(f"Digest of all keys and values before: {before}")
        command("nodes")
        command("show", server.pid)
        command("plan", old, new)
        command("check", server.pid, old, new)
        say("While it moves, a client goes on writing values and reading them back.")
        with LiveClient(server.socket) as client:
            status = command("migrate", server.pid, old, new)
        say(f"The client had {client}.")
        command("show", server.pid)
        say("What goes wrong is said, by its name:")
        command("migrate", server.pid, old, 999)
        after = server.digest()
        intact = server.keys() == KEYS and before == after
    say(f"Digest of all keys and values after:  {after}")
    say(f"All {KEYS} values are intact." if intact else "VALUES WERE LOST.")
    return 0 if intact and status == 0 and client.answers and not client.errors else 1


def command(*arguments: object) -> int:
    """Runs pymigrate as one would at the shell, and tells its exit status if that is not 0."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ pymigrate {' '.join(words)}", flush=True)
    installed = Path(sys.executable).with_name("pymigrate")
    status = subprocess.run([installed, *words], check=False).returncode
    if status:
        print(f"[exit status {status}]", flush=True)
    return status


def say(text: str) -> None:
    """Tells what happens, before the output of what is started then."""
    print(f"\n# {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
