"""A command of an engine that starts a helper on each host and passes on what they say."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from functools import partial
from math import inf

from pymigrate.launchers.conductor import CUT, KILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import IO

    from pymigrate.launchers.conductor import Conductor
    from pymigrate.launchers.engines import Engine
    from pymigrate.launchers.last_words import LastWords

__all__ = ["run_command"]

_TICK = 0.1  # seconds between two questions of what to do
_CHUNK = 1 << 16
_PATIENCE = 2.0  # seconds for the command to end its step, before it is killed


def run_command(
    engine: Engine, helper: Sequence[str], conductor: Conductor, words: LastWords
) -> int:
    """Runs it until it has ended, and returns its exit status: -SIGKILL where it had to be killed.

    Its standard input, and with it that of the helpers, stays open until they have to stop. It ends
    too where this process is killed, so no helper is left alone. Ctrl-C reaches us, and not the
    command.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        engine.command(helper),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=engine.environment(),
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        out = _Lines(process.stdout, partial(_hear, engine, conductor))
        killed = False
        try:
            err = _Lines(process.stderr, partial(_heed, words, conductor))
            killed = _listen([out, err], process, conductor)
        finally:
            _end(process, (signal.SIGKILL,) if killed else (signal.SIGTERM, signal.SIGKILL))
    return process.returncode


def _hear(engine: Engine, conductor: Conductor, line: str) -> None:
    said = engine.said(line)
    conductor.hear(said.text, label=said.host)


def _heed(words: LastWords, conductor: Conductor, line: str) -> None:
    if not conductor.gave_up:  # what is said then is that it was ended
        words.take(line)


def _listen(
    streams: Sequence[_Lines], process: subprocess.Popen[bytes], conductor: Conductor
) -> bool:
    """Takes what is said until all is said, or nobody is waited for any more.

    Then the command is told to end, and what helpers answer to that is taken too: flux-exec reads
    no input before all of them have started, but passes a signal on.

    Returns:
        Whether it was told to end.
    """
    until = inf
    with selectors.DefaultSelector() as selector:
        for lines in streams:
            selector.register(lines.stream, selectors.EVENT_READ, lines)
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(_TICK):
                if not key.data.read():
                    selector.unregister(key.fileobj)
            order = conductor.orders()
            if order == CUT:
                _leave_alone(process)
            elif order == KILL and until == inf:
                _leave_alone(process)
                _signal(process, signal.SIGTERM)
                until = time.monotonic() + _PATIENCE
    if until == inf:
        return False
    with suppress(subprocess.TimeoutExpired):  # its streams end a little before itself
        process.wait(max(0.0, until - time.monotonic()))
    return True


class _Lines:
    """A stream in lines, each given to whoever takes it."""

    def __init__(self, stream: IO[bytes], take: Callable[[str], object]) -> None:
        self.stream = stream
        self._take = take
        self._rest = b""

    def read(self) -> bool:
        """Takes what is there; returns False at the end."""
        data = os.read(self.stream.fileno(), _CHUNK)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        return bool(data)


def _leave_alone(process: subprocess.Popen[bytes]) -> None:
    """Ends the standard input of the helpers, for which they stop."""
    assert process.stdin
    with suppress(OSError):  # the command has ended already
        process.stdin.close()


def _end(process: subprocess.Popen[bytes], signals: Iterable[signal.Signals]) -> None:
    """Ends it, if it has not ended: it then ends what it has started on the hosts."""
    _leave_alone(process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_TICK)
    for number in signals:
        _signal(process, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
