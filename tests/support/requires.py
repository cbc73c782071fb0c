"""What a test needs of the machine, and where it runs if this one lacks it."""

import os

import pytest

from pymigrate.task import Task
from support.credentials import (
    CAP_SETGID,
    CAP_SETUID,
    CAP_SYS_ADMIN,
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    has_capabilities,
)

root = pytest.mark.skipif(
    os.geteuid() != 0
    or not has_capabilities(CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_NICE),
    reason="needs root with its capabilities, to make processes of other users and mounts of their "
    "own: run the tests with sudo, outside of a container",
)

nice = pytest.mark.skipif(
    not Task.read(0).may_move_anything(),
    reason="needs CAP_SYS_NICE outside of user namespaces, to evict the memory of other processes: "
    "run the tests with sudo, or in a container that is started with --cap-add SYS_NICE",
)

_with_extras = pytest.mark.numa(swap="256M", bare_nodes=1)  # one machine: each costs a boot
swap = _with_extras
"""Swap, and that not on a disk."""
bare_node = _with_extras
"""A node that has no memory."""
