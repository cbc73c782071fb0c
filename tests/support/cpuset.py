"""cgroups that grant some nodes only, or limit memory: v2, and v1 where there is one. For root."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

import pytest

from support.credentials import check

_ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 20  # seconds that the kernel may take to let go of a removed cgroup

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


@contextmanager
def cpuset(mems: str, *, cpus: str = "", above: Path = _ROOT) -> Iterator[Path]:
    """A cgroup whose processes get memory on these nodes. Whoever enters it ends with the block.

    Args:
        mems: Its nodes; in v2 none means those of the one above.
        cpus: Its CPUs; likewise.
        above: The cgroup that it is made in, which has the controller enabled for those below.
    """
    with _group("cpuset", above) as group:
        (group / "cpuset.cpus").write_text(f"{cpus}\n")
        (group / "cpuset.mems").write_text(f"{mems}\n")
        yield group


@contextmanager
def memory_cgroup() -> Iterator[Path]:
    """A cgroup whose memory and swap can be limited; else the same."""
    with _group("memory", _ROOT) as group:
        yield group


@contextmanager
def _group(controller: str, above: Path) -> Iterator[Path]:
    enabled = above / "cgroup.subtree_control"
    if enabled.exists() and controller not in enabled.read_text().split():
        pytest.skip(
            f"needs cgroup v2 with the controller {controller} enabled; the lab's machine has it"
        )
    group = above / f"pymigrate-test-{os.getpid()}-{next(_numbers)}"
    group.mkdir()
    try:
        yield group
    finally:
        if group.exists():  # a child of who entered it may be dying still
            assert _soon(group.rmdir), f"{group} is still in use"


def enter(group: Path) -> None:
    """Puts this process into a cgroup; what of its memory it may not have there is moved."""
    (group / "cgroup.procs").write_text("0")


@contextmanager
def first_version(mount: Path) -> Iterator[None]:
    """Takes the controller cpuset from v2 and mounts it as a v1 hierarchy."""
    control = _ROOT / "cgroup.subtree_control"
    control.write_text("-cpuset")
    try:
        if not _soon(lambda: _mount("cgroup", mount, "cpuset")):
            pytest.skip("this kernel has no cpuset of cgroup v1")
        try:
            yield
        finally:
            # A hierarchy that still has removed cgroups to clear up behind outlives its mount.
            assert _soon(_no_cpuset_but_the_root), "a cgroup of the test is still there"
            check(_libc.umount2(os.fsencode(mount), 0))
    finally:
        assert _soon(lambda: control.write_text("+cpuset")), "v2 does not get its controller back"


@contextmanager
def bound_read_only(folder: Path) -> Iterator[None]:
    """Shows a folder read-only in its own place, as containers do with cgroups."""
    ms_bind, ms_remount_read_only = 4096, 4096 | 32 | 1  # include/uapi/linux/mount.h
    place = os.fsencode(folder)
    check(_libc.mount(place, place, None, ctypes.c_ulong(ms_bind), None))
    try:
        check(_libc.mount(None, place, None, ctypes.c_ulong(ms_remount_read_only), None))
        yield
    finally:
        check(_libc.umount2(place, 0))


def _mount(kind: str, place: Path, options: str) -> None:
    name = kind.encode()
    arguments = name, os.fsencode(place), name, ctypes.c_ulong(0), options.encode()
    check(_libc.mount(*arguments))


def _no_cpuset_but_the_root() -> None:
    lines = Path("/proc/cgroups").read_text().splitlines()
    (count,) = (line.split()[2] for line in lines if line.startswith("cpuset\t"))
    if count != "1":
        raise OSError(errno.EBUSY, f"{count} cpusets")


def _soon(attempt: Callable[[], object]) -> bool:
    """Whether something works before long: the kernel clears up behind removed cgroups.

    What makes no sense to it (EINVAL) never will.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            attempt()
            return True
        except OSError as error:
            if error.errno == errno.EINVAL or time.monotonic() > end:
                return False
            time.sleep(0.05)
