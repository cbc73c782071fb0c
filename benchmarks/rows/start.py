"""What importing the package adds to the start of an interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pairs
from compiled import Peers
from row import TIME, Row

_PAIRS = 150


def rows(peers: Peers) -> Iterator[Row]:
    """Whole processes, from fork to exit."""
    ratios = pairs.times(_start("import pymigrate"), _start("pass"), _PAIRS)
    yield Row("python -I -c 'import pymigrate'", "python -I -c pass", TIME, ratios, 1.25)


def _start(program: str) -> pairs.Run:
    command = [sys.executable, "-I", "-c", program]
    return pairs.clocked(lambda: subprocess.run(command, check=True))
