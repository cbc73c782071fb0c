"""``pymigrate migrate``: one system call on one process."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_nodes, add_pid
from pymigrate.cli.status import DONE, PAGES_LEFT
from pymigrate.migrate import migrate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "migrate",
        help="move the memory of a process",
        description="Move the pages of a process from the nodes OLD to the nodes NEW. "
        "`pymigrate plan OLD NEW` tells which node's pages go where.",
    )
    add_pid(parser)
    add_nodes(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes the call and says how many pages the kernel could not move."""
    pid, old, new = arguments.pid, arguments.old, arguments.new
    left = migrate(pid, old, new)
    if arguments.json:
        print(json.dumps({"pid": pid, "old": str(old), "new": str(new), "pages_not_moved": left}))
    else:
        print(f"pid {pid}, nodes {old} -> {new}: {left} pages could not be moved")
    return PAGES_LEFT if left else DONE
