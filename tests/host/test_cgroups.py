"""Cgroups that cannot be looked into say so: none of them looks as if nobody were in it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable

import pytest
from support import requires
from support.credentials import NOBODY
from support.processes import as_user, in_child
from support.shortage import out_of_files

from pymigrate import Cpuset, CpusetRefused, Job, KernelError, NotPermitted
from pymigrate.kernel import cgroups
from pymigrate.kernel.cgroups import processes_below, unified_folders


@pytest.fixture
def group() -> Iterator[Path]:
    """A cgroup as it looks, with one below; others may come as far as there."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "step").mkdir()
        for place in (folder, folder / "step"):
            (place / "cgroup.procs").write_text(f"{os.getpid()}\n")
        for file in ("mems", "mems.effective", "cpus", "cpus.effective"):
            (folder / f"cpuset.{file}").write_text("0\n")
        yield folder


def without_files(function: Callable[[], object]) -> object:
    out_of_files()
    return function()


def test_no_more_files_may_be_opened(group: Path) -> None:
    def listed() -> object:
        return list(processes_below(str(group)))

    def of_one() -> object:
        return cgroups._processes_in(str(group), threaded=False)

    for look in (listed, of_one):
        with pytest.raises(KernelError, match="can open no more files") as refused:
            in_child(partial(without_files, look))
        assert (type(refused.value), refused.value.errno) == (KernelError, errno.EMFILE)
    with pytest.raises(CpusetRefused) as unread:
        in_child(partial(without_files, lambda: Cpuset.read(str(group))))
    assert (unread.value.errno, unread.value.reason) == (errno.EMFILE, "unknown")


@requires.root
def test_a_cgroup_below_that_may_not_be_looked_into(group: Path) -> None:
    (group / "step").chmod(0o700)
    with pytest.raises(NotPermitted, match=r"^the job: .*/step: "):
        as_user(NOBODY, lambda: list(processes_below(str(group))))


def test_a_cgroup_below_that_is_removed_meanwhile(group: Path) -> None:
    found = processes_below(str(group))
    assert next(found) == os.getpid()
    (group / "step" / "cgroup.procs").unlink()
    (group / "step").rmdir()
    assert list(found) == []


@pytest.fixture
def threaded() -> Iterator[Path]:
    """A threaded cgroup (cgroups(7)): the processes of its threads are those of its domain."""
    folders = unified_folders(0)
    if not folders:
        pytest.skip("no cgroup v2 is mounted here; the lab's machine has it")
    group = Path(folders[-1]) / f"pymigrate-test-{os.getpid()}-threaded"
    group.mkdir()
    try:
        (group / "cgroup.type").write_text("threaded")
        yield group
    finally:
        group.rmdir()


@requires.root
def test_a_threaded_cgroup(threaded: Path) -> None:
    for folder in (str(threaded), threaded):
        with pytest.raises(KernelError, match=rf"^the job: {threaded} is a threaded cg") as refusal:
            Job.cgroup(folder).pids()  # type: ignore[arg-type]  # a path serves too
        assert (refusal.value.errno, refusal.value.pid) == (errno.EOPNOTSUPP, None)
