"""Files of /proc and /sys that cannot be read: a typed error, and the kernel's own answer stays."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Callable

import pytest
from support import mounts, requires
from support.credentials import NOBODY, become
from support.processes import idle_process, in_child
from support.shortage import files_left, out_of_files

from pymigrate import (
    Eviction,
    KernelError,
    Migration,
    NodeMask,
    NotPermitted,
    Unsupported,
    check,
    check_eviction,
    migrate,
    residency,
    topology,
)
from pymigrate.kernel._mounts import tmpfs_table
from pymigrate.kernel.cgroups import unified_folders
from pymigrate.kernel.swap import Swap
from pymigrate.kernel.threads import RecentCpus, allowed_cpus
from pymigrate.launchers.flux_part import FluxPart
from pymigrate.launchers.marks import environment_of
from pymigrate.task import Task

HERE = NodeMask.has_memory()
LOOKS: tuple[Callable[[], object], ...] = (
    NodeMask.online,
    NodeMask.allowed,
    topology,
    lambda: residency(0),
    lambda: check(0, HERE, HERE),
    lambda: check_eviction(0, HERE, ()),
    lambda: Migration(0, HERE, HERE).run(),
    lambda: Eviction(0, HERE, (), without_swap=True).run(),
    lambda: Swap.read(0),
    lambda: unified_folders(0),
    lambda: tmpfs_table(0),
    lambda: allowed_cpus(os.getpid(), "several", ""),
    lambda: RecentCpus().of(os.getpid()),
    lambda: environment_of(os.getpid()),
    lambda: FluxPart("f1").job().pids(),
)


@pytest.mark.parametrize("look", LOOKS)
def test_no_more_files_may_be_opened(look: Callable[[], object]) -> None:
    def attempt() -> None:
        out_of_files()
        look()

    with pytest.raises(KernelError, match="can open no more files") as refusal:
        in_child(attempt)
    assert (type(refusal.value), refusal.value.errno) == (KernelError, errno.EMFILE)


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_that_runs_out_of_files_leaves_none_open(look: Callable[[], object]) -> None:
    """Wherever it runs out: its errors hold no files of a caller that has few to begin with."""

    def attempt() -> None:
        look()  # what is opened once stays so
        before = os.listdir("/proc/self/fd")
        for room in range(8):
            with files_left(room), suppress(KernelError):
                look()
            assert os.listdir("/proc/self/fd") == before, f"with room for {room} files"

    in_child(attempt)


@requires.root
def test_a_refusal_for_which_no_file_can_be_opened() -> None:
    def attempt() -> None:
        become(NOBODY)
        out_of_files()
        migrate(pid, HERE, HERE)

    with idle_process() as pid, pytest.raises(NotPermitted, match="no more files") as refusal:
        in_child(attempt)
    assert (refusal.value.errno, refusal.value.reason) == (errno.EPERM, "unknown")


@requires.root
@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (lambda: migrate(0, HERE, 500), NotPermitted),
        (NodeMask.has_memory, KernelError),
        (topology, KernelError),
        (lambda: Migration(0, HERE, HERE).run(), KernelError),
    ],
)
def test_nodes_that_sys_hides_from_others(
    look: Callable[[], object], kind: type[KernelError]
) -> None:
    def blindfolded() -> None:
        mounts.hide_nodes()
        os.chmod("/sys/devices/system/node", 0o700)
        become(NOBODY)
        look()

    with pytest.raises(KernelError, match=r"/sys/devices/system/node/.* cannot be read") as refusal:
        in_child(blindfolded)
    assert type(refusal.value) is kind


@requires.root
@pytest.mark.parametrize(
    ("place", "kind", "look"),
    [
        ("/sys", "sysfs", NodeMask.has_memory),
        ("/sys", "sysfs", topology),
        ("/sys", "sysfs", lambda: check(0, HERE, HERE)),
        ("/sys", "sysfs", lambda: Migration(0, HERE, HERE).run()),
        ("/proc", "proc", NodeMask.allowed),
        ("/proc", "proc", lambda: residency(0)),
        ("/proc", "proc", lambda: Task.read(1)),
        ("/proc", "proc", lambda: check(0, HERE, HERE)),
        ("/proc", "proc", lambda: Migration(0, HERE, HERE).run()),
    ],
)
def test_what_is_not_mounted_is_named(place: str, kind: str, look: Callable[[], object]) -> None:
    def attempt() -> None:
        mounts.mount_tmpfs(place)
        look()

    with pytest.raises(Unsupported, match=f"{place} is not mounted here") as refusal:
        in_child(attempt)
    error = refusal.value
    assert (error.errno, error.reason) == (errno.ENOENT, "not-mounted")
    assert error.remedy == f"mount {kind} on {place}"


@requires.root
@pytest.mark.parametrize("place", ["/sys", "/proc"])
def test_the_kernels_own_answer_stays_where_nothing_is_mounted(place: str) -> None:
    def attempt() -> None:
        mounts.mount_tmpfs(place)
        migrate(0, HERE, 500)

    told = f"why is not to be seen: .*{place} is not mounted here; mount "
    with pytest.raises(KernelError, match=told) as refusal:
        in_child(attempt)
    assert (refusal.value.errno, refusal.value.reason) == (errno.EINVAL, "unknown")
