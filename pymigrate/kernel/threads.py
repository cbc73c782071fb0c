"""The threads of a process: the CPUs that they may use, and those that they have used."""

from __future__ import annotations

import os

from pymigrate import _files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["RecentCpus", "allowed_cpus"]

# Fields of /proc/PID/stat (proc_pid_stat(5)), counted from the one after the name, which is 3.
_UTIME, _STIME, _PROCESSOR = 14 - 3, 15 - 3, 39 - 3


def allowed_cpus(pid: int, threads: str, first: str) -> set[str]:
    """The CPU lists of the threads of a process (Cpus_allowed_list; sched_setaffinity(2)).

    Args:
        pid: The process.
        threads: How many it has, as in its status.
        first: The list of the first, from there too.
    """
    cpus = {first}
    if threads != "1":
        for _, text in _read_each(pid, "status"):
            _, _, field = text.partition(b"\nCpus_allowed_list:\t")
            cpus.add(field.partition(b"\n")[0].decode())
    return cpus


class RecentCpus:
    """The CPUs that threads ran on lately: since it was last asked, or else ever."""

    def __init__(self) -> None:
        self._times: dict[int, dict[str, int]] = {}
        self._cpus: dict[int, set[int]] = {}

    def of(self, pid: int) -> set[int]:
        """The CPUs on which the threads of a process last ran, of those that used CPU time.

        Where none has used any, that is what was answered before, or the CPU of the first thread.
        """
        times, cpus = {}, {}
        for thread, text in _read_each(pid, "stat"):
            fields = text.rpartition(b")")[2].split()
            times[thread] = int(fields[_UTIME]) + int(fields[_STIME])
            cpus[thread] = int(fields[_PROCESSOR])
        before = self._times.get(pid, {})
        busy = {cpus[thread] for thread in times if times[thread] > before.get(thread, 0)}
        self._times[pid] = times
        self._cpus[pid] = busy or self._cpus.get(pid) or set(list(cpus.values())[:1])
        return self._cpus[pid]

    def keep(self, pids: Collection[int]) -> None:
        """Forgets what it knows of all other processes."""
        for known in (self._times, self._cpus):
            for pid in known.keys() - pids:
                del known[pid]


def _read_each(pid: int, name: str) -> Iterator[tuple[str, bytes]]:
    """A file of each thread, the first thread's first; of those that have not ended.

    Raises:
        KernelError: The caller can open no more files.
    """
    try:
        threads = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    except OSError as error:
        _files.check_no_shortage(error, pid)
        return
    for thread in threads:
        try:
            text = _files.read_bytes(f"/proc/{pid}/task/{thread}/{name}")
        except OSError as error:
            _files.check_no_shortage(error, pid)
            continue
        yield thread, text
