"""What importing the package costs: the whole life of an interpreter that does nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pairs
from compiled import Peers
from row import TIME, Row

_PAIRS = 100
_PEERS = {"pass": 1.25, "import cffi": None}


def rows(_: Peers) -> Iterator[Row]:
    """Against an interpreter that imports nothing, and one that imports the only dependency."""
    for peer, limit in _PEERS.items():
        ratios = pairs.times(_start("import pymigrate"), _start(peer), _PAIRS)
        yield Row("python -c 'import pymigrate'", f"python -c '{peer}'", TIME, ratios, limit)


def _start(program: str) -> pairs.Run:
    command = [sys.executable, "-I", "-c", program]
    return pairs.clocked(lambda: subprocess.run(command, check=True))
