"""``pymigrate evict``: pages leave memory, and come back where the process then runs."""

from __future__ import annotations

from pymigrate.causes import memoryless
from pymigrate.cli.arguments import add_parser, node_set
from pymigrate.cli.check import STATUSES as CHECKED
from pymigrate.cli.check import add_without_swap, exits_of, look_at_eviction
from pymigrate.cli.controls import STATUSES, add_controls, bounds_of, carry_out, check_controls
from pymigrate.cli.streams import complain
from pymigrate.cli.target import add_target, target_of

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
        help="nodes where they may stay; none, if it is left out",
    )
    add_without_swap(parser)
    add_controls(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evicts and prints the report."""
    # Imported for this command only: the others start without it.
    from pymigrate.operations.eviction import Eviction

    absent = memoryless(arguments.old)
    if absent:
        complain(f"{absent.text}: nothing can lie there; {absent.remedy}")
    target = target_of(arguments)
    check_controls(arguments, target)
    if arguments.dry_run:
        return look_at_eviction(target, arguments)
    wishes = {**exits_of(arguments), **bounds_of(arguments)}
    if isinstance(target, int):
        return carry_out(Eviction(target, **wishes), arguments, "evicting")
    return carry_out(target.eviction(**wishes), arguments, "evicting")
