"""Ground: the kernel's own account in /proc and /sys, as text."""

from __future__ import annotations

import errno
import os

from pymigrate import _nodelist
from pymigrate.errors import KernelError, NotPermitted, Unsupported, no_such_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def parse_fields(lines: Iterable[str]) -> dict[str, str]:
    """Lines such as ``SwapFree:   12 kB``, by their names."""
    pairs = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs}


def check_no_shortage(error: OSError, pid: int) -> None:
    """Raises KernelError where an error says nothing of a process: its caller may open no more."""
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        cause = "the caller can open no more files"
        remedy = "raise its limit (ulimit -n), or use fewer workers"
        raise KernelError(error.errno, cause, pid=pid, remedy=remedy) from None


def unseen(pid: int, error: OSError) -> KernelError:
    """The error for a process of which /proc shows nothing: it is gone, or hidden from this user.

    Or there is no /proc at all, as in a build's chroot; then nobody hides anything.

    With the mount option hidepid the folder of a process is closed (1), or not there (2, 4).

    Raises:
        KernelError: The caller can open no more files.
    """
    check_no_shortage(error, pid)
    if not isinstance(error, PermissionError) and _is_gone(pid):
        return no_such_process(pid)
    if not os.path.lexists("/proc/self"):  # a link that leads nowhere for another pid namespace
        return _not_mounted("proc", "/proc", pid)
    cause = "its /proc is hidden from this user (mount option hidepid, see proc(5))"
    return NotPermitted(errno.EPERM, cause, pid=pid, reason="ptrace", remedy="run as that user")


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return False


def read_node_set(name: str) -> str:
    """The node list in a file such as ``online`` (Documentation/ABI/stable/sysfs-devices-node).

    Raises:
        Unsupported: The kernel was built without NUMA, or /sys is not mounted.
        KernelError: The file cannot be read.
    """
    try:
        return read_text(f"{NODE_DIRECTORY}/{name}").strip()
    except FileNotFoundError:
        raise without_nodes(f"{NODE_DIRECTORY}/{name}") from None
    except OSError as error:
        raise unreadable(error) from None


def without_nodes(path: str) -> Unsupported:
    """The error for a file or folder of sysfs on nodes that is not there."""
    # Every kernel has this folder, for its processors. A copy of another machine's is not mounted.
    if path.startswith("/sys/") and not os.path.exists("/sys/devices/system"):
        return _not_mounted("sysfs", "/sys", 0)
    cause = f"there is no {path}: the kernel was built without NUMA"
    return Unsupported(errno.ENOSYS, cause, pid=0, reason="kernel")


def _not_mounted(kind: str, place: str, pid: int) -> Unsupported:
    cause, remedy = f"{place} is not mounted here", f"mount {kind} on {place}"
    return Unsupported(errno.ENOENT, cause, pid=pid, reason="not-mounted", remedy=remedy)


def unreadable(error: OSError) -> KernelError:
    """The error for a file that tells of the machine and cannot be read.

    Raises:
        KernelError: The caller can open no more files.
    """
    check_no_shortage(error, 0)
    cause = f"{error.filename or 'a file of the kernel'} cannot be read"
    return KernelError(error.errno or errno.EIO, cause, pid=0)


def read_status(pid: int) -> dict[str, str]:
    """The fields of ``/proc/PID/status`` (proc_pid_status(5)); pid 0 is the calling thread.

    Raises:
        NoSuchProcess: There is no such process or thread.
        NotPermitted: /proc hides it from this user.
        Unsupported: /proc is not mounted.
    """
    try:
        lines = read_lines(f"/proc/{pid or 'thread-self'}/status")
    except OSError as error:
        raise unseen(pid, error) from None
    fields = parse_fields(lines)
    if "Mems_allowed" not in fields:
        fields["Mems_allowed"] = _possible_nodes()
    return fields


def _possible_nodes() -> str:
    """What stands in for Mems_allowed where the kernel has no cpusets (CONFIG_CPUSETS).

    A process may then have memory on every node that there can be (cpuset_mems_allowed()).
    """
    try:
        bits = _nodelist.parse(read_node_set("possible"), lambda: 0)
    except Unsupported:
        bits = 1
    words = max(_NODE_WORDS, -(-bits.bit_length() // 32))
    return ",".join(f"{bits >> 32 * word & 0xFFFFFFFF:08x}" for word in reversed(range(words)))


def read_status_fields(pid: int, names: Sequence[str]) -> list[str]:
    """Some of these fields, in the order of the file; for whoever asks for few and asks often.

    Raises:
        NoSuchProcess: As ``read_status()``.
        NotPermitted: Likewise.
        Unsupported: Likewise.
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
