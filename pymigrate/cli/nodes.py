"""``pymigrate nodes``: the NUMA nodes of this machine."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_parser
from pymigrate.cli.status import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "nodes",
        "show the nodes of this machine",
        "Show the nodes that are online: their CPUs, memory, huge pages, and how far they are from "
        "each other.",
        "  0    done\n  2    an error\n  130  stopped by Ctrl-C, SIGTERM or SIGHUP\n",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows the nodes."""
    # Imported for this command only: the others start without it.
    from pymigrate.kernel.nodes import topology

    if arguments.json:
        print(json.dumps(topology().to_dict()))
    else:
        from pymigrate.cli.nodes_tables import print_topology

        print_topology(topology())
    return DONE
