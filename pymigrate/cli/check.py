"""``pymigrate check``: whether a migration or an eviction can work."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_parser, add_routes, routes_of
from pymigrate.cli.status import DONE, PAGES_LEFT
from pymigrate.cli.target import add_target, target_of
from pymigrate.errors import InvalidArgument
from pymigrate.operations.preflight import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pymigrate.cli.arguments import Subparsers
    from pymigrate.operations.verdicts import Preflight


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
        "Look at everything that decides about moving the pages of a process from OLD to NEW, or "
        "about evicting them.",
        STATUSES,
    )
    add_target(parser)
    add_routes(parser)
    parser.add_argument("--evict", action="store_true", help="look at an eviction instead")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a verdict for each thing that decides."""
    routes = routes_of(arguments)
    target = target_of(arguments)
    pids = [target] if isinstance(target, int) else target.pids()
    if not arguments.evict:
        return print_preflights([check(pid, **routes) for pid in pids], arguments)
    # Imported for this wish only: the command starts without it.
    from pymigrate.operations.eviction_preflight import check_eviction

    if routes["moves"] is not None:
        raise InvalidArgument("--map is for migrations; give the nodes OLD and NEW to --evict")
    nodes = {"old": routes["old"], "new": routes["new"]}
    return print_preflights([check_eviction(pid, **nodes) for pid in pids], arguments)


def print_preflights(
    found: Sequence[Preflight], arguments: argparse.Namespace, *, with_moves: bool = False
) -> int:
    """Prints the verdicts on one process or on several, and returns the worst exit status."""
    one = arguments.kind is None and len(found) == 1
    if arguments.json:
        parts = [preflight.to_dict() for preflight in found]
        print(json.dumps(parts[0] if one else {"processes": parts}))
    for preflight in () if arguments.json else found:
        if not one:
            print(f"pid {preflight.pid}:")
        print(preflight)
        if with_moves:
            print("would move now:" if preflight.moves else "nothing would move")
            for move in preflight.moves:
                print(f"  {move}")
    return DONE if all(found) else PAGES_LEFT
