"""Process identity: the knowledge that a pid still means the same process."""

from __future__ import annotations

import errno
import os
import select

from pymigrate import _files
from pymigrate._checks import check_pid
from pymigrate._native import lib
from pymigrate.errors import NoSuchProcess, no_such_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Process"]


class Process:
    """One process, told apart from any later one with the same pid.

    The calls that move pages know only pids. A pidfd stays with its process, so while it is not
    readable the process lives, and its pid cannot have been given to another one meanwhile
    (pidfd_open(2)). Where there is none (before Linux 5.3) the start time serves.

    Use it as a context manager, or ``close()`` it.

    Args:
        pid: A process; 0 is the calling one.

    Raises:
        InvalidArgument: It is no pid.
        NoSuchProcess: There is no such process.
        NotPermitted: /proc hides it from this user.
        Unsupported: /proc is not mounted.
        KernelError: The caller has too many files open (EMFILE, ENFILE).

    Attributes:
        pid: Its id, never 0.
        start_time: In clock ticks since the machine started (field 22 of proc_pid_stat(5)).
    """

    def __init__(self, pid: int) -> None:
        self._pidfd = -1
        check_pid(pid)
        self.pid = pid or os.getpid()
        self._pidfd = lib.pm_pidfd_open(self.pid, 0)
        if self._pidfd == -errno.ESRCH:
            raise self.gone()
        try:
            _, self.start_time = _read_stat(self.pid)
        except OSError as error:
            self.close()
            raise _files.unseen(self.pid, error) from None

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        if self._pidfd >= 0:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            return not poll.poll(0)
        try:
            state, start_time = _read_stat(self.pid)
        except OSError:
            return False
        return start_time == self.start_time and state not in b"ZX"

    @property
    def pidfd(self) -> int:
        """The file descriptor; a negative errno where the kernel has none, -1 once it is closed."""
        return self._pidfd

    def gone(self) -> NoSuchProcess:
        """The error to raise when it has ended."""
        return no_such_process(self.pid)

    def close(self) -> None:
        """Gives the pidfd back."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
        self._pidfd = -1

    # For who has made one and not used it: a pidfd is no object that would close itself.
    __del__ = close

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pid}, started at {self.start_time})"


def _read_stat(pid: int) -> tuple[bytes, int]:
    """The state of a process, and when it was started (fields 3 and 22 of proc_pid_stat(5)).

    Raises:
        OSError: There is no such process.
    """
    # The name in parentheses may hold anything; after it comes field 3.
    fields = _files.read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return fields[0], int(fields[19])
