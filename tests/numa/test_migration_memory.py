"""The memory that a migration takes does not grow with that of the process."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest
from support import numa
from support.memory import PAGE, target
from support.processes import idle_process, in_child

from pymigrate.operations.migration import Migration

pytestmark = [pytest.mark.managed, pytest.mark.numa]

MIB = 1 << 20
MAP_NORESERVE = 0x4000  # include/uapi/asm-generic/mman-common.h


def taken(pid: int, workers: int = 1) -> int:
    """Bytes by which a fresh process grows at the most while it migrates another."""

    def grown() -> int:
        Migration(0, moves={0: 0}).run()  # whatever is done once only
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before = peak()
        Migration(pid, moves={0: 1, 2: 3}, workers=workers).run(lambda _: None)
        return peak() - before

    return in_child(grown)


def peak() -> int:
    """The most memory that this process had since its peak started anew."""
    match = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.M)
    assert match
    return int(match[1]) * 1024


@pytest.mark.parametrize("workers", [1, 4])
def test_flat(workers: int) -> None:
    with target([0, 2] * (16 * MIB // PAGE)) as small:
        few = taken(small.pid, workers)
    with target([0] * (128 * MIB // PAGE) + [2] * (128 * MIB // PAGE)) as large:
        many = taken(large.pid, workers)
        assert large.counts() == {1: 128 * MIB // PAGE, 3: 128 * MIB // PAGE}
    assert many < few + workers * MIB


def test_a_huge_reservation() -> None:
    def prepare() -> mmap.mmap:
        memory = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
        with numa.policy(numa.BIND, {0}):
            memory[0] = memory[-1] = 1
        return memory

    with idle_process(prepare) as pid:
        assert taken(pid) < 8 * MIB
