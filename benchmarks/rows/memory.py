"""The memory of the process that moves another one's, as that one grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from compiled import Peers
from row import MEMORY, Row
from target import MIB, MIRRORED, SMALL, target

_SMALL, _LARGE, _LARGEST = 64, 1024, 8192  # MiB that move
_MAPPINGS = 128  # of the small one: 8 GiB to go through
_RUNS = 3
_FLAT = 1.10

# Prints the most memory that it had, in kB.
_MOVER = """
import sys
from pymigrate import Migration
migration = Migration(int(sys.argv[1]), 0, 1)
for progress in migration: pass
assert migration.report.complete, migration.report
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0])
"""


def rows(peers: Peers) -> Iterator[Row]:
    """From the smallest to what is moved here, and to what is only gone through."""
    least = _peaks(peers, _SMALL, _RUNS)
    yield _row("1 GiB moved", least, _peaks(peers, _LARGE, _RUNS))
    most = _peaks(peers, _SMALL, _RUNS, MIRRORED, _MAPPINGS)
    yield _row("8 GiB mapped, of 64 MiB", least, most)


def largest_rows(peers: Peers) -> Iterator[Row]:
    """All of it in memory, and moved: once, as it takes minutes."""
    yield _row("8 GiB moved", _peaks(peers, _SMALL, 1), _peaks(peers, _LARGEST, 1))


def _row(how: str, least: list[int], most: list[int]) -> Row:
    ratios = [large / small for large, small in zip(most, least)]
    remark = f"{max(least) / 1024:.1f} MiB, then {max(most) / 1024:.1f} MiB"
    return Row(f"memory of a mover, {how}", "64 MiB moved", MEMORY, ratios, _FLAT, remark)


def _peaks(peers: Peers, size: int, runs: int, pages: str = SMALL, count: int = 1) -> list[int]:
    return [_peak(peers, size, pages, count) for _ in range(runs)]


def _peak(peers: Peers, size: int, pages: str, count: int) -> int:
    with target(peers.folder, size * MIB, pages, count=count) as held:
        command = [sys.executable, "-I", "-c", _MOVER, str(held.pid)]
        return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
