"""Ground: the kernel's own account in /proc and /sys, as text."""

from __future__ import annotations

import errno
import os

from pymigrate.errors import GONE_REMEDY, KernelError, NoSuchProcess, NotPermitted, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NODE_DIRECTORY = "/sys/devices/system/node"

_SMALL = 16384

# MAX_NUMNODES of most kernels, in the words of 32 bits that %*pb prints.
_NODE_WORDS = 1024 // 32


def read_text(path: str) -> str:
    """The whole of a small file of the kernel's.

    Raises:
        OSError: As from open(2) and read(2).
    """
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return file.read()


def read_lines(path: str) -> list[str]:
    """The lines of such a file, without their newlines.

    Nothing else ends a line: what Python takes for an end as well, such as a carriage return, may
    stand in the name of a mount or a process.

    Raises:
        OSError: As from open(2) and read(2).
    """
    return read_text(path).split("\n")[:-1]


def read_bytes(path: str) -> bytes:
    """The same as bytes, for files that are read very often and mostly have some kilobytes.

    Those are read at once: these files give less than is asked for at their end alone.

    Raises:
        OSError: As from open(2) and read(2).
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = block = os.read(file, _SMALL)
        while len(block) == _SMALL:
            block = os.read(file, _SMALL)
            text += block
        return text
    finally:
        os.close(file)


def check_no_shortage(error: OSError, pid: int) -> None:
    """Raises KernelError where an error says nothing of a process: its caller may open no more."""
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        cause = "the caller can open no more files"
        remedy = "raise its limit (ulimit -n), or use fewer workers"
        raise KernelError(error.errno, cause, pid=pid, remedy=remedy) from None


def read_node_set(name: str) -> str:
    """The node list in a file such as ``online`` (Documentation/ABI/stable/sysfs-devices-node).

    Raises:
        Unsupported: The kernel was built without NUMA.
    """
    try:
        return read_text(f"{NODE_DIRECTORY}/{name}").strip()
    except FileNotFoundError:
        cause = f"there is no {NODE_DIRECTORY}/{name}: the kernel was built without NUMA"
        raise Unsupported(errno.ENOSYS, cause, pid=0, reason="kernel") from None


def read_status(pid: int) -> dict[str, str]:
    """The fields of ``/proc/PID/status`` (proc_pid_status(5)); pid 0 is the calling thread.

    Raises:
        NoSuchProcess: There is no such process or thread, or /proc hides it altogether.
        NotPermitted: /proc hides it from this user.
    """
    try:
        lines = read_lines(f"/proc/{pid or 'thread-self'}/status")
    except (FileNotFoundError, ProcessLookupError):
        cause = "there is no process or thread with that id"
        raise NoSuchProcess(
            errno.ESRCH, cause, pid=pid, reason="gone", remedy=GONE_REMEDY
        ) from None
    except PermissionError:
        cause = "its /proc is hidden from this user (mount option hidepid, see proc(5))"
        raise NotPermitted(
            errno.EPERM, cause, pid=pid, reason="ptrace", remedy="run as that user"
        ) from None
    pairs = (line.partition(":") for line in lines)
    fields = {name: value.strip() for name, _, value in pairs}
    if "Mems_allowed" not in fields:
        fields["Mems_allowed"] = _possible_nodes()
    return fields


def _possible_nodes() -> str:
    """What stands in for Mems_allowed where the kernel has no cpusets (CONFIG_CPUSETS).

    A process may then have memory on every node that there can be (cpuset_mems_allowed()).
    """
    from pymigrate.nodemask import NodeMask  # which stands on this module

    try:
        words = NodeMask.possible().to_hex()
    except Unsupported:
        words = NodeMask(0).to_hex()
    return "00000000," * (_NODE_WORDS - 1 - words.count(",")) + words


def read_status_fields(pid: int, names: Sequence[str]) -> list[str]:
    """Some of these fields, in the order of the file; for whoever asks for few and asks often.

    Raises:
        NoSuchProcess: As ``read_status()``.
        NotPermitted: Likewise.
    """
    try:
        text = read_bytes(f"/proc/{pid or 'thread-self'}/status").decode("utf-8", "replace")
    except OSError:
        return _pick(pid, names)  # which says why
    found = []
    for name in names:
        _, there, text = text.partition(f"\n{name}:\t")
        if not there:
            return _pick(pid, names)
        value, _, text = text.partition("\n")
        text = f"\n{text}"
        found.append(value)
    return found


def _pick(pid: int, names: Sequence[str]) -> list[str]:
    fields = read_status(pid)
    return [fields[name] for name in names]
