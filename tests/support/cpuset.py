"""cgroups that grant some nodes only, or limit memory (cgroup v2). For root."""

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
    with _group("cpuset", mems) as group:
        (group / "cpuset.mems").write_text(mems)
        yield group


@contextmanager
def memory_cgroup() -> Iterator[Path]:
    """A cgroup whose memory and swap can be limited; else the same."""
    with _group("memory", "limited") as group:
        yield group


@contextmanager
def _group(controller: str, name: str) -> Iterator[Path]:
    enabled = _ROOT / "cgroup.subtree_control"
    if not enabled.exists() or controller not in enabled.read_text().split():
        pytest.skip(
            f"needs cgroup v2 with the controller {controller} enabled; the lab's machine has it"
        )
    group = _ROOT / f"pymigrate-test-{os.getpid()}-{name}"
    group.mkdir()
    try:
        yield group
    finally:
        group.rmdir()


def enter(group: Path) -> None:
    """Puts this process into a cgroup; what of its memory it may not have there is moved."""
    (group / "cgroup.procs").write_text("0")
