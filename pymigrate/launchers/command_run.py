"""A command of an engine that starts a helper on each host and passes on what they say."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections import deque
from contextlib import suppress

from pymigrate.launchers.conductor import CUT, GO_ON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

    from pymigrate.launchers.conductor import Conductor

__all__ = ["run_command"]

_TICK = 0.1  # seconds between two questions of what to do
_CHUNK = 1 << 16
_LAST_WORDS = 20  # lines of standard error that are kept
_PATIENCE = 5.0  # seconds for the command to end its step, before it is killed


def run_command(
    command: Sequence[str], env: Mapping[str, str], conductor: Conductor
) -> tuple[int, str]:
    """Runs it until it has ended; returns its exit status, and what it said on standard error.

    Its standard input, and with it that of the helpers, stays open until they have to stop. It ends
    too where this process is killed, so no helper is left alone. Ctrl-C reaches us, and not the
    command.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, start_new_session=True
    ) as process:
        words: deque[str] = deque(maxlen=_LAST_WORDS)
        try:
            _listen(process, conductor, words)
        finally:
            _end(process)
    return process.returncode, "\n".join(words)


def _listen(process: subprocess.Popen[bytes], conductor: Conductor, words: deque[str]) -> None:
    """Takes what is said until all is said, or nobody is waited for any more."""
    with selectors.DefaultSelector() as selector:
        for stream, take in ((process.stdout, conductor.hear), (process.stderr, words.append)):
            assert stream
            selector.register(stream, selectors.EVENT_READ, _Lines(stream, take))
        while selector.get_map():
            for key, _ in selector.select(_TICK):
                if not key.data.read():
                    selector.unregister(key.fileobj)
            order = conductor.orders()
            if order == CUT:
                _leave_alone(process)
            elif order != GO_ON:
                break


class _Lines:
    """A stream in lines, each given to whoever takes it."""

    def __init__(self, stream: IO[bytes], take: Callable[[str], object]) -> None:
        self._stream = stream
        self._take = take
        self._rest = b""

    def read(self) -> bool:
        """Takes what is there; returns False at the end."""
        data = os.read(self._stream.fileno(), _CHUNK)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        return bool(data)


def _leave_alone(process: subprocess.Popen[bytes]) -> None:
    """Ends the standard input of the helpers, for which they stop."""
    assert process.stdin
    with suppress(OSError):  # the command has ended already
        process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends it, if it has not ended: it then ends what it has started on the hosts."""
    _leave_alone(process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_TICK)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
