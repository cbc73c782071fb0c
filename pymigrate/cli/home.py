"""``pymigrate home``: the memory of processes comes to where they run, once."""

from __future__ import annotations

from pymigrate.cli.arguments import add_json, add_parser
from pymigrate.cli.controls import add_bounds, add_progress, add_shared, bounds_of, carry_out
from pymigrate.cli.target import add_target, target_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers

_STATUSES = """\
  0    every page that was asked for is where it should be, or its process has ended
  1    pages were left behind or have appeared, or new processes kept appearing
  2    an error, before anything was done or with one of the processes at least, see the report
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; the report says what had been done
"""
_PLACES = {
    "affinity": "of the CPUs that its threads may use (the default)",
    "ran": "of the CPUs that its threads last ran on",
    "cpuset": "that it may have memory on, such as after its cpuset was changed",
}


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "home",
        "bring the memory of a process or a job to where it runs",
        "Move the pages of each process that are elsewhere to the nodes where it runs, or to the "
        "node of a device, and report.",
        _STATUSES,
    )
    add_target(parser)
    add_place(parser)
    add_shared(parser)
    add_bounds(parser)
    add_progress(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def add_place(parser: argparse.ArgumentParser) -> None:
    """Where the memory of a process ought to be."""
    place = parser.add_mutually_exclusive_group()
    meanings = "; ".join(f"{name}: {meaning}" for name, meaning in _PLACES.items())
    place.add_argument("--by", choices=tuple(_PLACES), default="affinity", help=f"nodes {meanings}")
    place.add_argument(
        "--device",
        metavar="DEVICE",
        help="the node of a device: a PCI address (0000:3b:00.0) or a network interface (ib0)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Migrates and prints the report."""
    # Imported for this command only: the others start without it.
    from pymigrate.jobs.homeward import homing

    operation = homing(
        target_of(arguments),
        by=arguments.by,
        device=arguments.device,
        shared=arguments.shared,
        **bounds_of(arguments),
    )
    return carry_out(operation, arguments, "bringing home")
