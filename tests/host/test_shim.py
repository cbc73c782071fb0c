"""The shim's own call: what masks of any size the kernel takes, and what it answers."""

from __future__ import annotations

import errno

import pytest
from support.processes import ended

from pymigrate import NodeMask
from pymigrate._native import lib
from pymigrate.task import Task

HERE = NodeMask.has_memory().to_bitmap()


def call(pid: int, old: bytes, new: bytes) -> int:
    return lib.pm_migrate(pid, old, len(old), new, len(new))


@pytest.mark.parametrize("bits", [0, 8, 32, 64, 72, 128, 1024, 4096, 32768])
def test_masks_of_any_size(bits: int) -> None:
    nothing, padded = bytes(bits // 8), HERE.ljust(bits // 8, b"\0")
    assert call(0, padded, HERE) == 0
    assert call(0, HERE, padded) == 0
    assert call(0, padded, padded) == 0
    assert call(0, nothing, HERE) == 0
    assert call(0, HERE, nothing) == -errno.EINVAL


@pytest.mark.parametrize("size", [4097, 4104, 1 << 20])
def test_masks_larger_than_the_kernel_reads(size: int) -> None:
    assert call(0, HERE.ljust(size, b"\0"), HERE) == -errno.EINVAL
    assert call(0, HERE, HERE.ljust(size, b"\0")) == -errno.EINVAL


def test_the_last_node_that_the_kernel_is_built_for() -> None:
    limit = Task.read(0).max_nodes
    if limit == NodeMask.LIMIT:
        pytest.skip("this kernel is built for as many nodes as a mask can have; others are not")
    last, beyond = NodeMask(limit - 1).to_bitmap(), NodeMask(limit).to_bitmap()
    assert call(0, last, HERE) == 0
    assert call(0, beyond, HERE) == -errno.EINVAL
    assert call(0, HERE, beyond) == -errno.EINVAL


@pytest.mark.parametrize("pid", [-1, -(2**31), 2**31 - 1])
def test_ids_of_nobody(pid: int) -> None:
    assert call(pid, HERE, HERE) == -errno.ESRCH


def test_an_ended_process() -> None:
    assert call(ended(), HERE, HERE) == -errno.ESRCH
