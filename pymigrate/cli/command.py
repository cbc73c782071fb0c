"""The subcommands, put together: their arguments, their errors, and what becomes of the output."""

from __future__ import annotations

import argparse
import json
import os
import sys

import pymigrate
from pymigrate.cli import check, evict, follow, home, job, migrate, nodes, plan, relocate, show
from pymigrate.cli.arguments import Misuse, Parser, TopParser
from pymigrate.cli.status import FAILED
from pymigrate.cli.streams import complain, discard_rest, escape_the_rest, is_of_output
from pymigrate.errors import Error, InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parser", "run"]

_SUBCOMMANDS = (migrate, evict, home, follow, relocate, job, check, plan, show, nodes)

_EPILOG = """\
OLD and NEW are node lists: 0-3,8 (ranges), 0-31:2/8 (of each 8 the first 2), all (the nodes your
cpuset allows), !0 (all but these), +0-1 (by rank among the allowed nodes).

exit status:
  0    done
  1    migrate, evict, home, relocate, job: pages were left behind or have appeared, or the single
       process that was named ended midway;
       check, --dry-run: it cannot work
  2    an error, told on standard error or in the report; output that nobody takes is one too
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; if pages were moving, a partial report comes first
`pymigrate COMMAND --help` has those of each command.
"""


def run(argv: Sequence[str] | None = None) -> int:
    """Runs a subcommand and returns its exit status; output that nobody takes is an error."""
    # Python has None for a stream that was closed when it started, as daemons do.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  for the life of the process
    if sys.stdout is None:
        complain("standard output is closed")
        return FAILED
    if argv is None:
        escape_the_rest()
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except OSError as error:
        if not is_of_output(error):
            complain(error)
            return FAILED
        complain(f"standard output: {error.strerror}")
        discard_rest()
        return FAILED


def _run(argv: Sequence[str] | None) -> int:
    arguments = argparse.Namespace(json=False)
    try:
        parser().parse_args(argv, arguments)
        status: int = arguments.run(arguments)
    except Misuse as misuse:
        try:
            misuse.end()
        finally:
            if "--json" in (sys.argv[1:] if argv is None else argv):
                _print_error(InvalidArgument(str(misuse)))
    except Error as error:
        complain(error)
        if arguments.json:
            _print_error(error)
        return FAILED
    return status


def _print_error(error: Error) -> None:
    print(json.dumps({"error": error.to_dict()}))


def parser() -> argparse.ArgumentParser:
    """The parser of all arguments."""
    parser = TopParser(
        prog="pymigrate",
        description="Move the memory of running processes between NUMA nodes, and tell what moved.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for subcommand in _SUBCOMMANDS:
        subcommand.add_to(subparsers)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than all the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"pymigrate {pymigrate.__version__}")
        parser.exit()
