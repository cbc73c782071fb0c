"""A cgroup of the same name on several hosts, as one job."""

from __future__ import annotations

import os

from pymigrate.jobs.job import Job
from pymigrate.launchers.part import Part, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CgroupPart"]

_ROOT = "/sys/fs/cgroup"


class CgroupPart(Part):
    """The processes of a cgroup on this host. Nobody has numbered them.

    Args:
        folder: Below /sys/fs/cgroup, with or without that.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = os.path.join(_ROOT, folder)
        self._everybody: Job | None = None

    def job(self) -> Job:
        """The processes, found anew each time.

        Raises:
            InvalidArgument: There is no such cgroup here.
        """
        self._everybody = Job.cgroup(self._folder)
        return super().job()

    def _find(self) -> Mapping[int, Place]:
        assert self._everybody
        return dict.fromkeys(self._everybody.pids(), Place())
