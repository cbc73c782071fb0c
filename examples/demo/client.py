"""A client that goes on reading and writing values while their server is being moved."""

from __future__ import annotations

import socket
import threading
import time
from functools import partial
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

_KEY = b"live"


class LiveClient:
    """Writes a value, reads it back and compares, again and again, in a thread of its own.

    Args:
        path: The server's socket.

    Attributes:
        answers: Right answers so far.
        errors: Wrong answers, and connections that broke.
        slowest: Seconds that the slowest answer took.
    """

    def __init__(self, path: Path) -> None:
        self.answers = 0
        self.errors = 0
        self.slowest = 0.0
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> LiveClient:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def __str__(self) -> str:
        slowest = f"the slowest took {self.slowest * 1000:.1f} ms"
        return f"{self.answers} right answers, {self.errors} errors; {slowest}"

    def _work(self) -> None:
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.settimeout(60)
                server.connect(str(self._path))
                with server.makefile("rb") as answers:
                    ask = partial(self._ask, server, answers)
                    while not self._stop.is_set():
                        value = b"written at %d" % time.monotonic_ns()
                        ask(b"+OK\r\n", b"SET", _KEY, value)
                        ask(_bulk(value), b"GET", _KEY)
                    ask(b":1\r\n", b"DEL", _KEY)  # the server holds what it held
        except OSError:
            self.errors += 1

    def _ask(self, server: socket.socket, answers: BinaryIO, right: bytes, *words: bytes) -> None:
        """One request in the protocol of Redis, and whether the answer is the right one."""
        began = time.monotonic()
        server.sendall(b"*%d\r\n" % len(words) + b"".join(map(_bulk, words)))
        answer = b"".join(answers.readline() for _ in range(right.count(b"\n")))
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer == right:
            self.answers += 1
        else:
            self.errors += 1


def _bulk(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)
