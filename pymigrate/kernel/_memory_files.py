"""Ground: the files in /proc in which the kernel accounts for a process's memory, held open."""

from __future__ import annotations

import errno
import os
from functools import cached_property

from pymigrate import _files
from pymigrate._native import ffi
from pymigrate.causes import no_user_memory
from pymigrate.errors import (
    KernelError,
    NoSuchProcess,
    NotPermitted,
    Unsupported,
    no_such_process,
)
from pymigrate.kernel._mounts import tmpfs_table
from pymigrate.task import Task
from pymigrate.units import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

__all__ = [
    "HIGHEST",
    "MemoryFiles",
    "kilobytes",
    "lines",
    "malformed",
    "nameable",
    "open_memory_file",
    "read_memory_file",
    "read_rollup",
    "unnameable",
]

# As in csrc/residency.c: with more, the kernel walks the last mapping of each block twice.
_BLOCK_SIZE = PAGE_SIZE - 1024

HIGHEST = 2 ** (8 * ffi.sizeof("void *")) - 1
"""The highest address that a pointer can hold, in the calls that take one."""

_HIGHEST_OF_ALL = 2**64 - 1  # in a process of any kernel

# The last is there since Linux 4.14.
_MONITORED = ("pagemap", "smaps", "smaps_rollup")


class MemoryFiles:
    """``/proc/PID/maps`` and ``numa_maps`` of one process.

    Both stay with the memory that the process had when they were opened: after its end, or an exec,
    they are empty, and never speak of other memory. That an account which was read from them is
    whole is therefore known only when the memory is still there afterwards (``check``).

    They are closed with the object, at the latest; use it as a context manager, or ``close()`` it.
    One thread at a time may read.

    Args:
        pid: The process, or one of its threads; 0 is the calling process.

    Raises:
        NoSuchProcess: There is none with that id.
        NotPermitted: The caller may not trace it.
        Unsupported: The kernel does not write these files.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.maps = self.numa_maps = -1
        # In this order: if the maps are alive at the end, what was opened after them is the same.
        self.maps = open_memory_file(pid, "maps")
        self.numa_maps = open_memory_file(pid, "numa_maps")

    @cached_property
    def mounts(self) -> bytes:
        """Where the process saw a tmpfs when it was first asked for, as mapping.h takes it.

        What it mounts later counts as files: to read this again for each look would be a good part
        of a look at a small process.
        """
        return tmpfs_table(self.pid)

    def close(self) -> None:
        """Closes both, if they are open."""
        for file in (self.maps, self.numa_maps):
            if file >= 0:
                os.close(file)
        self.maps = self.numa_maps = -1

    __del__ = close

    def __enter__(self) -> MemoryFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def rewind(self) -> None:
        """Lets the next reader start at the beginning."""
        os.lseek(self.maps, 0, os.SEEK_SET)
        os.lseek(self.numa_maps, 0, os.SEEK_SET)

    def check(self) -> None:
        """Makes sure that the memory is still there.

        Raises:
            NoSuchProcess: The process has ended (reason ``"gone"``), or replaced its memory by an
                exec (``"replaced"``).
            NoUserMemory: It is a kernel thread or a zombie.
        """
        try:
            if os.pread(self.maps, 1, 0):
                return
        except ProcessLookupError:
            pass
        _check_has_memory(self.pid)
        cause = "it replaced its memory by an exec meanwhile"
        raise NoSuchProcess(errno.ESRCH, cause, pid=self.pid, reason="replaced")


def lines(file: int) -> Iterator[bytes]:
    """The lines of an open file from where it stands, without their newlines, as they are read.

    They end where the process does: only ``MemoryFiles.check()`` tells that they are all.
    """
    rest = b""
    while block := _read_block(file):
        *complete, rest = (rest + block).split(b"\n")
        yield from complete
    if rest:
        yield rest


def _read_block(file: int) -> bytes:
    # m_start() in fs/proc: nothing for memory that is gone, and ESRCH once nobody has the pid.
    try:
        return os.read(file, _BLOCK_SIZE)
    except ProcessLookupError:
        return b""


def open_memory_file(pid: int, name: str) -> int:
    """A file of that kind, opened; the caller closes it.

    Raises:
        NoSuchProcess: As ``MemoryFiles``, like the next two.
        NotPermitted: The caller may not trace it.
        Unsupported: The kernel does not write it.
    """
    try:
        return os.open(f"/proc/{pid or 'self'}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        if os.path.exists(f"/proc/{pid or 'self'}"):
            raise _missing(pid, name) from None
        raise _files.unseen(pid, error) from None
    except ProcessLookupError:  # the file is there, and no memory behind it
        _check_has_memory(pid)
        raise no_such_process(pid) from None
    except PermissionError as error:
        raise _forbidden(error.errno or errno.EACCES, pid) from None
    except OSError as error:
        _files.check_no_shortage(error, pid)
        raise


def read_memory_file(pid: int, name: str) -> str:
    """The whole of a file of that kind; raises what ``open_memory_file`` does."""
    number = open_memory_file(pid, name)
    with open(number, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        try:
            return file.read()
        except ProcessLookupError:
            raise no_such_process(pid) from None


def read_rollup(pid: int) -> dict[str, str]:
    """The sums in ``smaps_rollup``; raises what ``open_memory_file`` does."""
    # The first line is like one of maps.
    return _files.parse_fields(read_memory_file(pid, "smaps_rollup").split("\n")[1:-1])


def kilobytes(fields: Mapping[str, str], name: str) -> int:
    """Bytes of a field such as ``VmSwap:     12 kB``; 0 where it is not."""
    return int(fields.get(name, "0 kB").split()[0]) * 1024


def malformed(pid: int, number: int) -> KernelError:
    """The error for a line of numa_maps that is not of the grammar, by its number."""
    cause = f"line {number} of its numa_maps is of a form that is not known"
    return KernelError(errno.EBADMSG, cause, pid=pid)


def nameable(files: MemoryFiles, highest: int = HIGHEST) -> bool:
    """Whether all addresses of the process fit into the caller's pointers."""
    if highest >= _HIGHEST_OF_ALL:
        return True  # without a look
    files.rewind()
    starts = (
        int(line.partition(b"-")[0], 16)
        for line in lines(files.maps)
        if not line.endswith(b"[vsyscall]")  # a page of the kernel's, which nobody names
    )
    return all(start <= highest for start in starts)


def unnameable(pid: int) -> Unsupported:
    """The error for addresses that do not fit into the caller's pointers."""
    cause = "it has addresses of 64 bits, which a 32-bit caller cannot name"
    remedy = "use a 64-bit Python"
    return Unsupported(errno.ENOSYS, cause, pid=pid, reason="kernel", remedy=remedy)


def _missing(pid: int, name: str) -> Unsupported:
    without = "CONFIG_PROC_PAGE_MONITOR" if name in _MONITORED else "NUMA"
    cause = f"there is no /proc/{pid or 'self'}/{name}: the kernel was built without {without}"
    return Unsupported(errno.ENOSYS, cause, pid=pid, reason="kernel")


def _check_has_memory(pid: int) -> None:
    """Raises NoUserMemory for a kernel thread or a zombie, NoSuchProcess for nobody."""
    cause = no_user_memory(Task.read(pid))
    if cause:
        raise cause.to_error(errno.EINVAL, pid)


def _forbidden(number: int, pid: int) -> NotPermitted:
    return NotPermitted(
        number,
        "the caller may not look at its memory: it belongs to another user, or changed its "
        "credentials, or asked not to be looked at",
        pid=pid,
        reason="ptrace",
        remedy="run as that user, or with CAP_SYS_PTRACE",
    )
