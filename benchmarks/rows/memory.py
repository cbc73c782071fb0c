"""The memory of the process that moves another one's, as that one grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from compiled import Peers
from row import MEMORY, Row
from target import MIB, MIRRORED, SMALL, target

_SMALL, _LARGE = 64, 1024  # MiB that move
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
    least = [_peak(peers, _SMALL, SMALL, 1) for _ in range(_RUNS)]
    for size, pages, count, how in (
        (_LARGE, SMALL, 1, "1 GiB moved"),
        (_SMALL, MIRRORED, _MAPPINGS, "8 GiB mapped, of 64 MiB"),
    ):
        most = [_peak(peers, size, pages, count) for _ in range(_RUNS)]
        ratios = [large / small for large, small in zip(most, least)]
        remark = f"{max(least) / 1024:.1f} MiB, then {max(most) / 1024:.1f} MiB"
        yield Row(f"memory of a mover, {how}", "64 MiB moved", MEMORY, ratios, _FLAT, remark)


def _peak(peers: Peers, size: int, pages: str, count: int) -> int:
    with target(peers.folder, size * MIB, pages, count=count) as held:
        command = [sys.executable, "-I", "-c", _MOVER, str(held.pid)]
        return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
