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
_PAIRS = {256: 6, 1024: 2}  # of how many MiB: a pair of the larger takes half a minute, emulated
_LEAST = 0.95


def rows(peers: Peers) -> Iterator[Row]:
    """The call against the call, a program's choice of the two, the command against the command."""
    for size, times in _PAIRS.items():
        name = f"Migration.run(), {size} MiB"
        with target(peers.folder, size * MIB) as held:

            def in_c(held: Target = held) -> None:
                peers.migrate(held.pid, 0, 1)
                peers.migrate(held.pid, 1, 0)

            ratios = pairs.speeds(_run(held), pairs.clocked(in_c), times)
            yield Row(name, "migrate_pages from C", SPEED, ratios, _LEAST)
            if not shutil.which(_TOOL):
                yield Row(name, _TOOL, SPEED, remark="numactl is missing")
                continue
            ratios = pairs.speeds(_run(held), _command(held, _TOOL), times)
            yield Row(name, f"{_TOOL} as a child", SPEED, ratios, _LEAST)
    if shutil.which(_TOOL):
        yield _commands(peers)


def _commands(peers: Peers) -> Row:
    """Most of this is the start of an interpreter, so there is nothing to judge."""
    size, times = max(_PAIRS.items())
    with target(peers.folder, size * MIB) as held:
        ours, tool = _command(held, str(_COMMAND), "migrate"), _command(held, _TOOL)
        return Row(f"pymigrate migrate, {size} MiB", _TOOL, SPEED, pairs.speeds(ours, tool, times))


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
