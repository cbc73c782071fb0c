"""``pymigrate check``: whether a migration can work."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_parser, add_pid, add_routes, routes_of
from pymigrate.cli.status import DONE, PAGES_LEFT
from pymigrate.preflight import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


STATUSES = """\
  0    nothing is refused; warnings are no refusals
  1    it cannot work: something is refused
  2    an error, as for a process that is not there
  130  stopped by Ctrl-C or SIGTERM
"""


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "check",
        "say whether a migration can work, and move nothing",
        "Look at everything that decides about moving the pages of a process from OLD to NEW.",
        STATUSES,
    )
    add_pid(parser)
    add_routes(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a verdict for each."""
    preflight = check(arguments.pid, **routes_of(arguments))
    print(json.dumps(preflight.to_dict()) if arguments.json else preflight)
    return DONE if preflight else PAGES_LEFT
