"""Where a process's pages are: the library, the tool, and the kernel's file alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pairs
from compiled import Peers
from row import TIME, Row
from target import MIB, SCATTERED, SMALL, target

from pymigrate import residency

_TOOL = "numastat"
_VMAS = 20_000
_PAIRS = 25


def rows(peers: Peers) -> Iterator[Row]:
    """Much memory in few mappings, and little in many."""
    for size, pages, count, what in (
        (2048 * MIB, SMALL, 1, "2 GiB of 4 KiB pages"),
        (0, SCATTERED, _VMAS, f"{_VMAS:,} VMAs"),
    ):
        with target(peers.folder, size, pages, count=count) as held:
            yield from _of(peers, held.pid, what)


def _of(peers: Peers, pid: int, what: str) -> Iterator[Row]:
    ours = pairs.clocked(lambda: residency(pid))
    read = pairs.clocked(lambda: peers.read(f"/proc/{pid}/numa_maps"))
    name = f"residency() of {what}"
    yield Row(name, "reading numa_maps in C", TIME, pairs.times(ours, read, _PAIRS), 1.2)
    if not shutil.which(_TOOL):
        yield Row(name, f"{_TOOL} -p", TIME, remark="numactl is missing")
        return
    tool = _command(_TOOL, "-p", str(pid))
    yield Row(name, f"{_TOOL} -p as a child", TIME, pairs.times(ours, tool, _PAIRS), 1.0)
    show = _command(str(Path(sys.executable).with_name("pymigrate")), "show", str(pid))
    ratios = pairs.times(show, tool, _PAIRS)
    yield Row(f"pymigrate show, {what}", f"{_TOOL} -p", TIME, ratios)


def _command(*command: str) -> pairs.Run:
    return pairs.clocked(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
