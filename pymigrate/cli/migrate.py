"""``pymigrate migrate``: the managed migration of one process."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec

from pymigrate.cli.arguments import add_json, add_pid, add_routes, duration, rate, routes_of
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.status import DONE, INTERRUPTED, PAGES_LEFT
from pymigrate.migration import Migration
from pymigrate.preflight import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.cli.arguments import Subparsers
    from pymigrate.report import Report


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "migrate",
        help="move the memory of a process",
        description="Move the pages of a process from the nodes OLD to the nodes NEW, and report "
        "what moved, what stayed behind, and why. `pymigrate plan OLD NEW` tells which node's "
        "pages go where.",
    )
    add_pid(parser)
    add_routes(parser)
    parser.add_argument(
        "--rate", type=rate, metavar="SIZE", help="bytes to move in a second at the most: 500M, 2G"
    )
    parser.add_argument(
        "--max-stall",
        type=duration,
        metavar="TIME",
        help="how long one step may hold the process up: 500us, 5ms",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="threads that move pages (1)"
    )
    parser.add_argument(
        "--shared",
        action=argparse.BooleanOptionalAction,
        help="move pages that other processes map too (where permitted, if neither is given)",
    )
    parser.add_argument(
        "--look-again",
        type=duration,
        metavar="TIME",
        help="wait that long afterwards, and look whether pages came back",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done and stop; like `check`"
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show a progress bar on standard error (if that is a terminal)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Migrates and prints the report. The first Ctrl-C stops it after the step under way."""
    routes = routes_of(arguments)
    if arguments.dry_run:
        preflight = check(arguments.pid, **routes, shared=arguments.shared)
        print(json.dumps(preflight.to_dict()) if arguments.json else preflight)
        return DONE if preflight else PAGES_LEFT
    migration = Migration(
        arguments.pid,
        **routes,
        shared=arguments.shared,
        rate=arguments.rate,
        max_stall=arguments.max_stall,
        workers=arguments.workers,
    )
    with on_interrupt(migration.cancel) as interrupt:
        report = _run(migration, arguments.progress)
        if arguments.look_again and report.after and not interrupt.wait(arguments.look_again):
            report = migration.look_again()
    print(report.to_json() if arguments.json else report)
    if interrupt.received:
        return INTERRUPTED
    return DONE if report.complete else PAGES_LEFT


def _run(migration: Migration, progress: bool | None) -> Report:
    if progress is None:
        progress = sys.stderr.isatty() and find_spec("rich") is not None
    if not progress:
        return migration.run()
    from pymigrate.cli.progress import progress_bar

    with progress_bar("migrating") as show:
        return migration.run(lambda step: show(step.done, step.total))
