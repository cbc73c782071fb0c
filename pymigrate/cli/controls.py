"""What operations have in common at the shell: bounds, progress, Ctrl-C, the report, the status."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from importlib.util import find_spec

from pymigrate.cli.arguments import add_json, add_switch
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.quantities import SIZES, TIMES, duration, size, workers
from pymigrate.cli.status import DONE, FAILED, INTERRUPTED, PAGES_LEFT
from pymigrate.cli.streams import complain
from pymigrate.errors import InvalidArgument, KernelError
from pymigrate.operations.operation import Operation
from pymigrate.operations.report import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import Any

    from pymigrate.jobs.job import Job
    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_report import JobReport
    from pymigrate.operations.report import Progress

    Show = Callable[[Progress], object]

__all__ = [
    "BOUNDS",
    "STATUSES",
    "add_bounds",
    "add_controls",
    "add_progress",
    "add_shared",
    "bounds_of",
    "carry_out",
    "check_controls",
    "print_processes",
    "progress_of",
    "status_of",
    "wants_progress",
]

BOUNDS = ("rate", "max_stall", "workers")
"""What bounds an operation, by the names of the arguments."""

STATUSES = """\
  0    every page that was asked for is where it should be
  1    pages were left behind or have appeared, or the process ended midway, which one of a job may;
       of a job also: new processes kept appearing
  2    an error, before anything was done or midway; of a job: for one of its processes at least,
       see the report
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; the report says what had been done
exit status with --dry-run:
"""


def add_controls(parser: argparse.ArgumentParser) -> None:
    """How fast, how watched, and what is printed."""
    add_bounds(parser, "threads that work (1); for a job, processes at the same time (2)")
    parser.add_argument(
        "--look-again",
        type=duration,
        metavar="TIME",
        help="wait that long afterwards, and look whether pages came back; not for a job",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    add_progress(parser)
    add_json(parser)


def add_bounds(
    parser: argparse.ArgumentParser, workers_are: str = "processes at the same time (2)"
) -> None:
    """How fast it may go; by default for what takes a single process as a job of one."""
    parser.add_argument(
        "--rate",
        type=size,
        metavar="SIZE",
        help=f"bytes in a second at the most: 500M, 2GiB ({SIZES})",
    )
    parser.add_argument(
        "--max-stall",
        type=duration,
        metavar="TIME",
        help=f"how long one step may hold a process up: 500us, 5ms ({TIMES})",
    )
    parser.add_argument("--workers", type=workers, metavar="N", help=workers_are)


def add_shared(parser: argparse.ArgumentParser) -> None:
    """What becomes of pages that several processes map."""
    add_switch(
        parser,
        "shared",
        "move pages that other processes map too (where permitted, if neither is given)",
        "leave them",
    )


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Whether there is a bar."""
    add_switch(
        parser,
        "progress",
        "show a progress bar on standard error (if that is a terminal, if neither is given)",
        "show none",
    )


def bounds_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What ``add_controls`` took for the operation itself, as keyword arguments."""
    return {name: getattr(arguments, name) for name in BOUNDS if getattr(arguments, name)}


def check_controls(arguments: argparse.Namespace, target: int | Job) -> None:
    """Refuses what ``add_controls`` took for one process and not for a job."""
    if arguments.look_again and not isinstance(target, int):
        raise InvalidArgument("--look-again is for one process; for a job, run it again instead")


def carry_out(
    operation: Operation | JobOperation, arguments: argparse.Namespace, label: str
) -> int:
    """Runs an operation and prints its report. The first Ctrl-C stops it after the step under way.

    Raises:
        KernelError: It is refused, and nothing has moved.
    """
    look_again = getattr(arguments, "look_again", None)
    with on_interrupt(operation.cancel) as interrupt:
        try:
            with progress_of(arguments, label) as show:
                report = operation.run(show)
        except KernelError as error:
            if not _has_moved_any(operation):
                raise
            return _tell_midway(operation.report, error, arguments)
        if isinstance(operation, Operation) and look_again and operation.report.after:
            if not interrupt.wait(look_again):
                _look_again(operation)
            report = operation.report
        if not (arguments.json or isinstance(operation, Operation)):
            print_processes(operation.report)
        print(report.to_json() if arguments.json else report, flush=True)
    return status_of(report)


def _has_moved_any(operation: Operation | JobOperation) -> bool:
    try:
        return operation.report.total.moved > 0
    except InvalidArgument:  # there is none: it was refused beforehand
        return False


def _tell_midway(
    report: Report | JobReport, error: KernelError, arguments: argparse.Namespace
) -> int:
    """What had been done when it was refused, and why it went no further."""
    if arguments.json:
        told = {"error": error.to_dict(), "report": report.to_dict()}
        print(json.dumps(told), flush=True)
    else:
        print(report, flush=True)
    complain(error)
    return FAILED


def status_of(report: Report | JobReport) -> int:
    """The exit status that a report stands for: the worst that one of its processes has."""
    if report.outcome == "cancelled":
        return INTERRUPTED
    if not isinstance(report, Report) and report.failures:
        return FAILED
    return DONE if report.complete else PAGES_LEFT


def print_processes(report: JobReport) -> None:
    """The table, where there is what draws it; the sum that follows takes nothing."""
    if find_spec("rich") is not None:
        from pymigrate.cli.job_table import print_rows

        print_rows(report)


def _look_again(operation: Operation) -> None:
    """Where the process has ended the report is no worse."""
    try:
        operation.look_again()
    except KernelError as error:
        complain(error)


def wants_progress(arguments: argparse.Namespace) -> bool:
    """Whether a bar is asked for, or somebody looks and there is what draws it."""
    wanted: bool | None = arguments.progress
    if wanted is None:
        return sys.stderr.isatty() and find_spec("rich") is not None
    return wanted


@contextmanager
def progress_of(arguments: argparse.Namespace, label: str) -> Iterator[Show | None]:
    """What shows how far an operation is; None where nobody looks."""
    if not wants_progress(arguments):
        yield None
        return
    from pymigrate.cli.progress import progress_bar

    with progress_bar(label) as show:
        yield lambda step: show(step.done, step.total)
