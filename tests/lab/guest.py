"""A machine that is running: what it says, how it ends, and how to be rid of it."""

from __future__ import annotations

import contextlib
import selectors
import shutil
import socket
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType

from lab.errors import GuestDied, GuestHung
from lab.port import Port

CONSOLE = "console"
STATUS = "status"
CONSOLE_TAIL = 4096
"""How much of the console is kept for the message about a machine that died, in bytes."""


class Guest:
    """A running machine, to be used as a context manager.

    Args:
        command: The emulator's command line.
        streams: Our ends of what comes out of it, by name; closed with the guest.
        mark: What the machine ends each stream with, the console excepted.
        console: File descriptor of the far end of the console, for what QEMU itself has to say.
        inherited: All file descriptors that the command line mentions.

    Attributes:
        status: The command's exit status, once `read` has returned None.
    """

    status: int

    def __init__(
        self,
        command: Sequence[str],
        streams: Mapping[str, socket.socket],
        mark: bytes,
        console: int,
        inherited: Sequence[int],
    ) -> None:
        self._ports = {name: Port(mark) for name in streams if name != CONSOLE}
        self._status = b""  # an empty line when the command starts, a number when it has ended
        self._console = b""
        self._ready: deque[tuple[str, bytes]] = deque()
        self._cleanup = contextlib.ExitStack()
        self._selector = self._cleanup.enter_context(selectors.DefaultSelector())
        for name, stream in streams.items():
            self._cleanup.enter_context(stream)
            self._selector.register(stream, selectors.EVENT_READ, name)
        # Dies with us even where we are killed in a way that leaves no time to clean up.
        leash = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen(
            [*leash, *command],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is for us to handle, not for QEMU
        )
        self._cleanup.callback(self._kill)

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the machine at once, as if its power had failed, and wait until it is gone."""
        self._cleanup.close()

    def wait_for_boot(self, deadline: float | None = None) -> None:
        """Wait until the machine is about to start its command.

        Raises:
            GuestDied: As for `read`.
            GuestHung: As for `read`.
        """
        while not self._status:
            self._pump(deadline)

    def read(self, deadline: float | None = None) -> tuple[str, bytes] | None:
        """Wait for the next bytes from any port.

        Args:
            deadline: Time on the monotonic clock at which to give up.

        Returns:
            The port's name and the bytes, or None when the command has ended and all is said.

        Raises:
            GuestDied: The machine stopped before the end; the message has its last words.
            GuestHung: The deadline has passed.
        """
        while not self._ready:
            if all(port.ended for port in self._ports.values()):
                self.status = int(self._status)
                return None
            self._pump(deadline)
        return self._ready.popleft()

    @property
    def console(self) -> str:
        """The last lines of the console."""
        text = self._console.decode(errors="replace").replace("\r", "")
        return text.strip()

    def _pump(self, deadline: float | None) -> None:
        """Wait once for any stream and take what it has."""
        patience = None if deadline is None else deadline - time.monotonic()
        events = self._selector.select(patience)
        # The clock decides: a machine that has lost its way may well keep talking.
        if patience is not None and (patience <= 0 or not events):
            raise GuestHung(self._obituary("the machine was not done in time"))
        for key, _ in events:
            stream = key.fileobj
            assert isinstance(stream, socket.socket)
            try:
                data = stream.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if data:
                self._take(key.data, data)
            else:
                self._selector.unregister(stream)
        if not self._selector.get_map() and not all(p.ended for p in self._ports.values()):
            self._process.wait()
            raise GuestDied(self._obituary("the machine died before its command had ended"))

    def _take(self, name: str, data: bytes) -> None:
        if name == CONSOLE:
            self._console = (self._console + data)[-CONSOLE_TAIL:]
            return
        data = self._ports[name].feed(data)
        if name == STATUS:
            self._status += data
        elif data:
            self._ready.append((name, data))

    def _obituary(self, what: str) -> str:
        return f"{what}; the end of its console:\n{self.console or '(nothing)'}"

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()
