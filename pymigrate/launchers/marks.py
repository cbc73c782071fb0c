"""The mark of a helper, by which the helpers of others know it: they are no part of a job.

An engine counts a step of helpers as the job's own. It is known by its environment, since the name
of a step is not to be had on a host without a question to the controller from each.

The command that has them started may run in the job itself, as in a batch script, and its own
environment was made before: so the mark says which process it is.
"""

from __future__ import annotations

import os
from contextlib import suppress

from pymigrate import _files
from pymigrate.launchers.inside import pid_namespace

__all__ = ["MARK", "environment_of", "is_helper", "launcher", "mark", "mark_as_launcher"]

MARK = "PYMIGRATE_HELPER"
"""Set in the environment of helpers, and so of all that they start."""


def mark_as_launcher() -> None:
    """Has this process be known to the helpers that it starts: for a command, which is no work.

    A program that has its own job moved is a part of that job, and does not do so.
    """
    os.environ[MARK] = _name(os.getpid())


def mark() -> str:
    """What helpers that are started here are marked with."""
    return os.environ.get(MARK, "1")


def launcher() -> int:
    """The process on this host that has this helper started; 0 where there is none."""
    pid = mark().rpartition(":")[2]
    return int(pid) if pid.isdecimal() and mark() == _name(int(pid)) else 0


def _name(pid: int) -> str:
    """A process, told from all others with that pid on other hosts and in other namespaces."""
    boot = ""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return f"{boot}:{pid_namespace()}:{pid}"


def is_helper(pid: int) -> bool:
    """Whether a process is a helper, or was started by one; no, where that is not to be seen."""
    return MARK in environment_of(pid)


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; nothing where it is not to be seen.

    Raises:
        KernelError: The caller can open no more files.
    """
    text = b""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            text = file.read()
    except OSError as error:
        _files.check_no_shortage(error, pid)
    pairs = (part.partition("=") for part in os.fsdecode(text).split("\0"))
    return {name: value for name, _, value in pairs}
