"""``pymigrate migrate``: the managed migration of a process or a job."""

from __future__ import annotations

from pymigrate.cli.arguments import add_parser, add_routes, routes_of
from pymigrate.cli.check import STATUSES as CHECKED
from pymigrate.cli.check import print_preflight
from pymigrate.cli.controls import (
    STATUSES,
    add_controls,
    add_shared,
    bounds_of,
    carry_out,
    check_controls,
)
from pymigrate.cli.target import add_target, target_of
from pymigrate.operations.migration import Migration
from pymigrate.operations.preflight import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "migrate",
        "move the memory of a process or a job",
        "Move the pages of a process from the nodes OLD to the nodes NEW, and report what moved, "
        "what stayed behind, and why. `pymigrate plan OLD NEW` tells which node's pages go where.",
        STATUSES + CHECKED,
    )
    add_target(parser)
    add_routes(parser)
    add_shared(parser)
    add_controls(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Migrates and prints the report."""
    routes = routes_of(arguments)
    target = target_of(arguments)
    check_controls(arguments, target)
    if arguments.dry_run:
        wish = {**routes, "shared": arguments.shared}
        found = check(target, **wish) if isinstance(target, int) else target.check(**wish)
        return print_preflight(found, arguments, with_moves=True)
    wishes = {**routes, "shared": arguments.shared, **bounds_of(arguments)}
    if isinstance(target, int):
        return carry_out(Migration(target, **wishes), arguments, "migrating")
    return carry_out(target.migration(**wishes), arguments, "migrating")
