"""The command ``pymigrate``: one module for each subcommand, put together here."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress

import pymigrate
from pymigrate.cli import check, migrate, nodes, plan, show
from pymigrate.cli.status import FAILED, INTERRUPTED
from pymigrate.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_SUBCOMMANDS = (migrate, check, plan, show, nodes)

_EPILOG = """\
OLD and NEW are node lists: 0-3,8 (ranges), 0-31:2/8 (of each 8 the first 2), all (the nodes your
cpuset allows), !0 (all but these), +0-1 (by rank among the allowed nodes).

exit status: 0 done, 1 some pages were not moved, 2 an error, told on standard error, 130 stopped
by Ctrl-C after a partial report
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status.

    Args:
        argv: Arguments after the program's name; those of the process if None.
    """
    # Python has None for a stream that was closed when it started, as daemons do.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  for the life of the process
    if sys.stdout is None:
        print("pymigrate: standard output is closed", file=sys.stderr)
        return FAILED
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("pymigrate: stopped", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        with suppress(OSError):
            print(f"pymigrate: standard output: {error.strerror}", file=sys.stderr)
        # What is left in the buffers goes nowhere: at its end the interpreter would fail over it.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return FAILED


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except Error as error:
        print(f"pymigrate: {error}", file=sys.stderr)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pymigrate",
        description="Move the memory of running processes between NUMA nodes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in _SUBCOMMANDS:
        subcommand.add_to(subparsers)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than all the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"pymigrate {pymigrate.__version__}")
        parser.exit()
