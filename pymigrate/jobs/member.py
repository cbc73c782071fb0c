"""A process as a member of a job: its id and its start, which together mean no other process."""

from __future__ import annotations

from typing import NamedTuple

from pymigrate import _files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Member", "identify", "resident_pages", "still_there"]


class Member(NamedTuple):
    """One process, told from any later one that gets its pid.

    Attributes:
        pid: Its id.
        start_time: In clock ticks since the machine started (field 22 of proc_pid_stat(5)).
    """

    pid: int
    start_time: int


def identify(pid: int) -> Member | None:
    """Who has a pid now; None if nobody has it, or only what is left of a process (a zombie)."""
    try:
        # The name in parentheses may hold anything; after it come fields 3 and 22.
        fields = _files.read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError as error:
        _files.check_no_shortage(error, pid)
        return None
    return None if fields[0] in b"ZX" else Member(pid, int(fields[19]))


def still_there(members: Iterable[Member]) -> Iterator[int]:
    """The pids of those that have not ended; a pid that means another process now is none."""
    return (member.pid for member in members if identify(member.pid) == member)


def resident_pages(pid: int) -> int:
    """Pages that a process has in memory; 0 if it has ended."""
    try:
        return int(_files.read_text(f"/proc/{pid}/statm").split()[1])
    except (OSError, IndexError):
        return 0
