"""A real Redis server on one NUMA node, spoken to through redis-cli."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from pymigrate import topology

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class RedisServer:
    """Starts on the CPUs of a node, so that the kernel places its memory there by first touch.

    Args:
        node: The node.

    Attributes:
        socket: Where it is spoken to.
    """

    def __init__(self, node: int) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pymigrate-demo-")
        self.socket = Path(self._directory.name) / "socket"
        cpus = topology()[node].cpus
        self._process = subprocess.Popen(
            [
                *("redis-server", "--port", "0", "--unixsocket", str(self.socket)),
                *("--dir", self._directory.name, "--save", "", *_allow_debug()),
            ],
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        self._wait_until_ready()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def fill(self, keys: int, size: int) -> None:
        """Creates keys, each with a value of so many bytes."""
        self._cli("DEBUG", "POPULATE", str(keys), "key", str(size))

    def keys(self) -> int:
        """How many keys there are."""
        return int(self._cli("DBSIZE").split()[-1])

    def digest(self) -> str:
        """The server's own digest of all its keys and values."""
        return self._cli("DEBUG", "DIGEST")

    def __enter__(self) -> RedisServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()

    def _wait_until_ready(self) -> None:
        while not self.socket.exists():
            if self._process.poll() is not None:
                raise SystemExit(f"redis-server ended with status {self._process.returncode}")
            time.sleep(0.05)
        if self._cli("PING") != "PONG":
            raise SystemExit("redis-server does not answer")

    def _cli(self, *words: str) -> str:
        answer = subprocess.run(
            ["redis-cli", "-s", str(self.socket), *words],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        if answer.startswith(("ERR", "(error)")):
            raise SystemExit(f"redis-cli {' '.join(words)}: {answer}")
        return answer


def _allow_debug() -> tuple[str, ...]:
    """DEBUG, which fills the server and digests all it holds, has to be allowed since Redis 7."""
    version = subprocess.run(["redis-server", "--version"], check=True, capture_output=True)
    major = int(version.stdout.split(b"v=")[1].split(b".")[0])
    return ("--enable-debug-command", "local") if major >= 7 else ()
