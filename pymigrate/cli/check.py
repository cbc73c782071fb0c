"""``pymigrate check``: whether a migration or an eviction can work."""

from __future__ import annotations

from pymigrate.cli.arguments import add_json, add_parser, add_routes, routes_of
from pymigrate.cli.status import DONE, FAILED, PAGES_LEFT
from pymigrate.cli.target import add_target, target_of
from pymigrate.errors import InvalidArgument
from pymigrate.nodemask import NodeMask
from pymigrate.operations.preflight import check
from pymigrate.operations.verdicts import Preflight

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from pymigrate.cli.arguments import Subparsers
    from pymigrate.jobs.job import Job
    from pymigrate.jobs.job_preflight import JobPreflight

STATUSES = """\
  0    nothing is refused; warnings are no refusals
  1    it cannot work: something is refused
  2    an error, as for a process that is not there, also one of several
  130  stopped by Ctrl-C, SIGTERM or SIGHUP
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
    parser.add_argument(
        "--evict", action="store_true", help="look at an eviction instead; NEW may be left out"
    )
    add_without_swap(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def add_without_swap(parser: argparse.ArgumentParser) -> None:
    """What of an eviction is wanted."""
    parser.add_argument(
        "--without-swap", action="store_true", help="evict only what needs no swap: files"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints a verdict for each thing that decides."""
    if not arguments.evict:
        if arguments.without_swap:
            raise InvalidArgument("--without-swap goes with --evict")
        routes, target = routes_of(arguments), target_of(arguments)
        found = check(target, **routes) if isinstance(target, int) else target.check(**routes)
        return print_preflight(found, arguments)
    if arguments.moves is not None:
        raise InvalidArgument("--map is for migrations; give --evict the nodes OLD and NEW")
    if arguments.old is None:
        raise InvalidArgument("give --evict the nodes OLD, and NEW if there are any")
    return look_at_eviction(target_of(arguments), arguments)


def look_at_eviction(target: int | Job, arguments: argparse.Namespace) -> int:
    """Prints a verdict for each thing that decides about an eviction."""
    # Imported for this wish only: the command starts without it.
    from pymigrate.operations.eviction_preflight import check_eviction

    nodes = exits_of(arguments)
    if isinstance(target, int):
        return print_preflight(check_eviction(target, **nodes), arguments)
    return print_preflight(target.check_eviction(**nodes), arguments)


def exits_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Which pages of which nodes leave, as keyword arguments of ``Eviction``."""
    new = NodeMask() if arguments.new is None else arguments.new
    return {"old": arguments.old, "new": new, "without_swap": arguments.without_swap}


def print_preflight(
    found: Preflight | JobPreflight, arguments: argparse.Namespace, *, with_moves: bool = False
) -> int:
    """Prints the verdicts on one process or on a job, and returns the exit status."""
    if arguments.json:
        print(found.to_json())
    else:
        print(found)
    if isinstance(found, Preflight):
        if with_moves and not arguments.json:
            _print_moves(found)
        return DONE if found else PAGES_LEFT
    if with_moves and not arguments.json:
        for pid, preflight in found.processes.items():
            print(f"pid {pid}:")
            _print_moves(preflight)
    return FAILED if found.failures else DONE if found else PAGES_LEFT


def _print_moves(preflight: Preflight) -> None:
    print("would move now:" if preflight.moves else "nothing would move")
    for move in preflight.moves:
        print(f"  {move}")
