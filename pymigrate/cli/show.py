"""``pymigrate show``: on which nodes the memory of processes is."""

from __future__ import annotations

import json
import sys

from pymigrate.cli.arguments import add_json, add_pids
from pymigrate.cli.status import DONE, FAILED
from pymigrate.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "show",
        help="show on which nodes the memory of processes is",
        description="Show the memory of processes by node and by what it is made of: anonymous "
        "memory, files, shared memory, and huge pages of a pool (hugetlb).",
    )
    add_pids(parser)
    parser.add_argument("--vmas", action="store_true", help="show each mapping too")
    parser.add_argument(
        "--thp", action="store_true", help="count transparent huge pages too, which takes longer"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows each process. One that cannot be looked at does not keep the others from it."""
    # Imported for this command only: the others start without it.
    from pymigrate.cli.process_view import ProcessView

    if not arguments.json:
        from pymigrate.cli.show_tables import print_process
    views = []
    failed = False
    for pid in arguments.pids:
        try:
            view = ProcessView.look(pid, thp=arguments.thp, with_vmas=arguments.vmas)
        except Error as error:
            print(f"pymigrate: {error}", file=sys.stderr)
            failed = True
        else:
            views.append(view)
            if not arguments.json:
                print_process(view)
    if arguments.json:
        print(json.dumps({"processes": [view.to_dict() for view in views]}))
    return FAILED if failed else DONE
