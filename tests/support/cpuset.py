"""cgroups that grant some nodes only (cgroup v2, controller cpuset). For root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def cpuset(mems: str) -> Iterator[Path]:
    """A cgroup whose processes get memory on these nodes. Whoever enters it ends with the block."""
    enabled = _ROOT / "cgroup.subtree_control"
    if not enabled.exists() or "cpuset" not in enabled.read_text().split():
        pytest.skip("needs cgroup v2 with the controller cpuset enabled; the lab's machine has it")
    group = _ROOT / f"pymigrate-test-{os.getpid()}-{mems}"
    group.mkdir()
    try:
        (group / "cpuset.mems").write_text(mems)
        yield group
    finally:
        group.rmdir()


def enter(group: Path) -> None:
    """Puts this process into a cgroup; what of its memory it may not have there is moved."""
    (group / "cgroup.procs").write_text("0")
