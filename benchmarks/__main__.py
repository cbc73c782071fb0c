"""Compares pymigrate with the same work done in C and by other tools, and prints ratios."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import compiled
import groups
import machine
import table
from row import Row


def main() -> int:
    """Measures the groups that were asked for, and prints what came out.

    Returns:
        The exit status: 1 if a measurement failed, whatever the ratios of the others.
    """
    arguments = _parser().parse_args()
    names = arguments.groups or groups.USUAL
    with tempfile.TemporaryDirectory(prefix="pymigrate-benchmarks-") as room:
        folder = Path(room)
        compiled.compile_into(folder)
        measured = [_measure(folder, place, names) for place in groups.PLACES]
    measured = [(place, rows) for place, rows in measured if place]
    if arguments.json:
        json.dump({place: [row.to_dict() for row in rows] for place, rows in measured}, sys.stdout)
        print()
    else:
        table.show(measured)
    return int(any(row.failed for _, rows in measured for row in rows))


def _measure(folder: Path, place: str, names: Sequence[str]) -> tuple[str, list[Row]]:
    """The rows of one place; an empty name where nothing is to be done there."""
    names = [name for name in names if groups.ALL[name].place == place]
    if not names:
        return "", []
    print(f"measuring {', '.join(names)} ({place})", file=sys.stderr)
    if place == groups.HERE:
        return _here(), list(groups.measure(names, compiled.Peers(folder)))
    try:
        return machine.measure(folder, names, place)
    except machine.Missing as why:
        return f"SKIPPED, {', '.join(names)}: {why}", []


def _here() -> str:
    cpus = Path("/proc/cpuinfo").read_text().partition("model name")[2]
    model = cpus.partition("\n")[0].strip("\t :") or platform.machine()
    return f"Linux {platform.release()}, {model}, Python {platform.python_version()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "groups",
        metavar="GROUP",
        nargs="*",
        type=_group,
        help=f"measure only these: {', '.join(groups.ALL)}; {', '.join(groups.ONLY_IF_ASKED)} "
        "only if asked for",
    )
    return parser


def _group(name: str) -> str:
    if name not in groups.ALL:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(groups.ALL)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
