"""Files of /proc and /sys that cannot be read: a typed error, and the kernel's own answer stays."""

from __future__ import annotations

import errno
import os
from typing import Callable

import pytest
from support import mounts, requires
from support.credentials import NOBODY, become
from support.processes import idle_process, in_child
from support.shortage import out_of_files

from pymigrate import (
    KernelError,
    Migration,
    NodeMask,
    NotPermitted,
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

HERE = NodeMask.has_memory()
LOOKS: tuple[Callable[[], object], ...] = (
    NodeMask.online,
    NodeMask.allowed,
    topology,
    lambda: residency(0),
    lambda: check(0, HERE, HERE),
    lambda: check_eviction(0, HERE, ()),
    lambda: Migration(0, HERE, HERE).run(),
    lambda: Swap.read(0),
    lambda: unified_folders(0),
    lambda: tmpfs_table(0),
    lambda: allowed_cpus(os.getpid(), "several", ""),
    lambda: RecentCpus().of(os.getpid()),
)


@pytest.mark.parametrize("look", LOOKS)
def test_no_more_files_may_be_opened(look: Callable[[], object]) -> None:
    def attempt() -> None:
        out_of_files()
        look()

    with pytest.raises(KernelError, match="can open no more files") as refusal:
        in_child(attempt)
    assert (type(refusal.value), refusal.value.errno) == (KernelError, errno.EMFILE)


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
