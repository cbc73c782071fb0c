"""``pymigrate migrate``: the managed migration of one process."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec

from pymigrate.cli.arguments import (
    add_json,
    add_parser,
    add_pid,
    add_routes,
    add_switch,
    routes_of,
)
from pymigrate.cli.check import STATUSES as CHECKED
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.quantities import SIZES, TIMES, duration, size, workers
from pymigrate.cli.status import DONE, INTERRUPTED, PAGES_LEFT
from pymigrate.cli.streams import complain
from pymigrate.errors import KernelError
from pymigrate.migration import Migration
from pymigrate.preflight import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pymigrate.cli.arguments import Subparsers
    from pymigrate.report import Report


_STATUSES = f"""\
  0    every page that was asked for is where it should be
  1    pages were left behind or have appeared, or the process ended midway: see the report
  2    an error, before anything was moved or midway
  130  stopped by Ctrl-C or SIGTERM; the report says what had moved
exit status with --dry-run:
{CHECKED}"""


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "migrate",
        "move the memory of a process",
        "Move the pages of a process from the nodes OLD to the nodes NEW, and report what moved, "
        "what stayed behind, and why. `pymigrate plan OLD NEW` tells which node's pages go where.",
        _STATUSES,
    )
    add_pid(parser)
    add_routes(parser)
    _add_bounds(parser)
    add_switch(
        parser,
        "shared",
        "move pages that other processes map too (where permitted, if neither is given)",
        "leave them",
    )
    parser.add_argument(
        "--look-again",
        type=duration,
        metavar="TIME",
        help="wait that long afterwards, and look whether pages came back",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what `check` says and which pages would move now, and move none",
    )
    add_switch(
        parser,
        "progress",
        "show a progress bar on standard error (if that is a terminal, if neither is given)",
        "show none",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def _add_bounds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rate",
        type=size,
        metavar="SIZE",
        help=f"bytes to move in a second at the most: 500M, 2GiB ({SIZES})",
    )
    parser.add_argument(
        "--max-stall",
        type=duration,
        metavar="TIME",
        help=f"how long one step may hold the process up: 500us, 5ms ({TIMES})",
    )
    parser.add_argument(
        "--workers", type=workers, default=1, metavar="N", help="threads that move pages (1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Migrates and prints the report. The first Ctrl-C stops it after the step under way."""
    routes = routes_of(arguments)
    if arguments.dry_run:
        return _run_dry(arguments, routes)
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
            report = _look_again(migration)
    print(report.to_json() if arguments.json else report)
    if report.outcome == "cancelled":
        return INTERRUPTED
    return DONE if report.complete else PAGES_LEFT


def _look_again(migration: Migration) -> Report:
    """The report with what came back, or without where the process has ended: it is no worse."""
    try:
        return migration.look_again()
    except KernelError as error:
        complain(error)
        return migration.report


def _run_dry(arguments: argparse.Namespace, routes: dict[str, Any]) -> int:
    preflight = check(arguments.pid, **routes, shared=arguments.shared)
    if arguments.json:
        print(json.dumps(preflight.to_dict()))
    else:
        print(preflight)
        print("would move now:" if preflight.moves else "nothing would move")
        for move in preflight.moves:
            print(f"  {move}")
    return DONE if preflight else PAGES_LEFT


def _run(migration: Migration, progress: bool | None) -> Report:
    if progress is None:
        progress = sys.stderr.isatty() and find_spec("rich") is not None
    if not progress:
        return migration.run()
    from pymigrate.cli.progress import progress_bar

    with progress_bar("migrating") as show:
        return migration.run(lambda step: show(step.done, step.total))
