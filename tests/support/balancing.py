"""Processes whose pages the kernel's NUMA balancing marks, to see who uses them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from pymigrate import topology
from support import numa
from support.memory import Block
from support.processes import Servant

MANY = 8192  # pages: 32 MiB
BALANCING = "/proc/sys/kernel/numa_balancing"


class Busy:
    """A block in a process that computes all the time: balancing marks the pages of such."""

    def __init__(self) -> None:
        self._block = Block([0] * MANY)
        threading.Thread(target=self._compute, daemon=True).start()

    def _compute(self) -> None:
        number = 1
        while True:
            number = number * 3 % 1_000_003

    def addresses(self) -> range:
        """Of the pages of the block."""
        return self._block.addresses

    def intact_on(self, node: int) -> bool:
        """Whether the block is, read from there: balancing takes pages to whoever reads them."""
        os.sched_setaffinity(0, topology()[node].cpus)
        return self._block.intact()


def hidden(child: Servant[Busy]) -> int:
    """Pages of the block that move_pages(2) does not see."""
    return sum(node < 0 for node in numa.nodes_of(child.pid, child.ask(Busy.addresses)))


def wait_until_hidden(child: Servant[Busy]) -> None:
    """Until balancing has marked the first pages."""
    end = time.monotonic() + 60
    while not hidden(child):
        if time.monotonic() > end:
            pytest.skip("balancing has marked no page in 60 s")


def marked_so_far() -> int:
    """Pages that balancing has marked since the machine's start, of all processes."""
    lines = Path("/proc/vmstat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("numa_pte_updates "))


def wait_until_marked(child: Servant[Busy], before: int) -> None:
    """Until balancing has gone over as many pages as the block has, seen or not.

    Args:
        child: Who has the block.
        before: What was marked before there was one.
    """
    end = time.monotonic() + 120
    while marked_so_far() < before + MANY and not hidden(child):
        if time.monotonic() > end:
            pytest.skip("balancing has not marked enough pages in 120 s")
        time.sleep(0.05)
