"""The managed migration where no control is asked for, and the tool that does the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pairs
from compiled import Peers
from row import SPEED, Row
from target import MIB, Target, target

from pymigrate import Migration

_TOOL = "migratepages"
_PAIRS = {256: 6, 1024: 3}  # of how many MiB: a pair of the larger takes half a minute, emulated
_LEAST = 0.95


def rows(peers: Peers) -> Iterator[Row]:
    """The call against the call, a program's choice of the two, the command against the command."""
    for size, times in _PAIRS.items():
        with target(peers.folder, size * MIB) as held:

            def in_c(held: Target = held) -> None:
                peers.migrate(held.pid, 0, 1)
                peers.migrate(held.pid, 1, 0)

            run, command = _run(held), _command(held, str(_COMMAND), "migrate")
            amount = f"{size} MiB"
            ratios = pairs.speeds(run, pairs.clocked(in_c), times)
            yield Row(f"Migration.run(), {amount}", "migrate_pages from C", SPEED, ratios, _LEAST)
            if not shutil.which(_TOOL):
                yield Row(f"Migration.run(), {amount}", _TOOL, SPEED, remark="numactl is missing")
                continue
            tool = _command(held, _TOOL)
            ratios = pairs.speeds(run, tool, times)
            yield Row(f"Migration.run(), {amount}", f"{_TOOL} as a child", SPEED, ratios, _LEAST)
            ratios = pairs.speeds(command, tool, times)
            yield Row(f"pymigrate migrate, {amount}", _TOOL, SPEED, ratios, _LEAST)


_COMMAND = Path(sys.executable).with_name("pymigrate")


def _run(held: Target) -> pairs.Run:
    def work() -> None:
        for old, new in ((0, 1), (1, 0)):
            report = Migration(held.pid, old, new).run()
            assert report.complete, report

    return pairs.clocked(work)


def _command(held: Target, *command: str) -> pairs.Run:
    def work() -> None:
        for old, new in (("0", "1"), ("1", "0")):
            arguments = [*command, str(held.pid), old, new]
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    return pairs.clocked(work)
