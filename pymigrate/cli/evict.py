"""``pymigrate evict``: pages leave memory, and come back where the process then runs."""

from __future__ import annotations

from pymigrate.causes import memoryless
from pymigrate.cli.arguments import add_parser, node_set
from pymigrate.cli.check import STATUSES as CHECKED
from pymigrate.cli.check import print_preflight
from pymigrate.cli.controls import STATUSES, add_controls, bounds_of, carry_out
from pymigrate.cli.streams import complain
from pymigrate.cli.target import add_target, target_of
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "evict",
        "put the memory of a process or a job out of nodes, to swap",
        "Evict the pages of a process that are on the nodes OLD and not on the nodes NEW. Each "
        "comes back when it is used, on the node where the process then runs: bind it to CPUs of "
        "NEW first.",
        STATUSES + CHECKED,
    )
    add_target(parser)
    parser.add_argument(
        "old", metavar="OLD", type=node_set, help="nodes that pages leave, unless they are in NEW"
    )
    parser.add_argument(
        "new",
        metavar="NEW",
        type=node_set,
        nargs="?",
        default=NodeMask(),
        help="nodes where they may stay; none, if it is left out",
    )
    parser.add_argument(
        "--without-swap", action="store_true", help="evict only what needs no swap: files"
    )
    add_controls(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evicts and prints the report."""
    # Imported for this command only: the others start without it.
    from pymigrate.operations.eviction import Eviction
    from pymigrate.operations.eviction_preflight import check_eviction

    absent = memoryless(arguments.old)
    if absent:
        complain(f"{absent.text}: nothing can lie there; {absent.remedy}")
    nodes = {"old": arguments.old, "new": arguments.new, "without_swap": arguments.without_swap}
    target = target_of(arguments)
    if arguments.dry_run:
        if isinstance(target, int):
            return print_preflight(check_eviction(target, **nodes), arguments)
        return print_preflight(target.check_eviction(**nodes), arguments)
    wishes = {**nodes, **bounds_of(arguments)}
    if isinstance(target, int):
        return carry_out(Eviction(target, **wishes), arguments, "evicting")
    return carry_out(target.eviction(**wishes), arguments, "evicting")
