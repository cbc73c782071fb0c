"""A cgroup of the same name on several hosts, as one job."""

from __future__ import annotations

import os

from pymigrate.jobs.job import Job
from pymigrate.launchers.here import host_name
from pymigrate.launchers.lineage import ancestors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CgroupPart"]

_ROOT = "/sys/fs/cgroup"


class CgroupPart:
    """The processes of a cgroup on this host; but for the caller and those that it came from.

    Args:
        folder: Below /sys/fs/cgroup, with or without that.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(_ROOT, folder)

    def host(self) -> str:
        """The name of this host."""
        return host_name()

    def job(self) -> Job:
        """The processes, found anew each time.

        Raises:
            InvalidArgument: There is no such cgroup here.
        """
        everybody = Job.cgroup(self._folder)
        own = {os.getpid(), *ancestors(os.getpid())}
        return Job(lambda: [pid for pid in everybody.pids() if pid not in own])

    def ranks(self) -> Mapping[int, int]:
        """Nobody has numbered them."""
        return {}
