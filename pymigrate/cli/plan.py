"""``pymigrate plan``: what a migration would do to the nodes."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_nodes, add_parser
from pymigrate.cli.status import DONE
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "plan",
        "show which node's pages go where",
        "Show the moves that the kernel makes for OLD and NEW, in its order. Nothing is moved.",
        "  0    done\n  2    an error\n  130  stopped by Ctrl-C, SIGTERM or SIGHUP\n",
    )
    add_nodes(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the moves."""
    old, new = arguments.old, arguments.new
    moves = plan(old, new)
    if arguments.json:
        print(json.dumps({"old": str(old), "new": str(new), "moves": moves}))
    elif moves:
        print("\n".join(f"{source} -> {target}" for source, target in moves))
    else:
        print("nothing has to move")
    return DONE
