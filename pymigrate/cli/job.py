"""``pymigrate job``: a job that spans hosts is moved, checked or shown on all of them at once."""

from __future__ import annotations

import argparse
import shlex

from pymigrate.cli.arguments import add_json, add_parser
from pymigrate.cli.check import add_without_swap
from pymigrate.cli.controls import BOUNDS, add_bounds, add_progress, add_shared, bounds_of
from pymigrate.cli.hosts_view import print_report, progress_of_hosts
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.quantities import TIMES, duration, rows
from pymigrate.cli.status import INTERRUPTED
from pymigrate.cli.streams import complain
from pymigrate.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.cli.arguments import Subparsers
    from pymigrate.launchers.wish import Wish

_ROWS = 4096  # of processes, in the answer of one host
_EVERY = 1.0  # seconds between two signs of life

_STATUSES = """\
  the worst of all hosts:
  0    every page that was asked for is where it should be; --check: nothing is refused
  1    pages were left behind or have appeared, or some process could not be dealt with; --check:
       something is refused somewhere
  2    an error, before anything was done or on a host, as where none of its processes could be
       dealt with; or a host did not answer in time
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; the report says what had been done
"""
_NODES = (
    "nodes to move pages {}: a list, or home, local, cpuset, gpu, device:NAME as each host has it"
)


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "job",
        "move the memory of a job on all its hosts",
        "Move the pages of a running job from the nodes OLD to the nodes NEW on each of its hosts, "
        "through the engine that runs it, and gather one report. With one word, such as home, in "
        "place of OLD NEW, what is elsewhere goes there.",
        _STATUSES,
    )
    parser.add_argument(
        "target",
        metavar="ENGINE:ID",
        help="the job: slurm:1234, slurm:1234.0, flux:f23ZkA, cgroup:FOLDER",
    )
    for name, way in (("old", "from"), ("new", "to")):
        parser.add_argument(name, metavar=name.upper(), nargs="?", help=_NODES.format(way))
    _add_actions(parser)
    _add_hosts(parser)
    add_shared(parser)
    add_bounds(parser)
    add_progress(parser)
    add_json(parser)
    _add_helper(parser)
    parser.hints = {"--dry-run": "--check says whether it can work, and moves nothing"}
    parser.set_defaults(run=run)


def _add_actions(parser: argparse.ArgumentParser) -> None:
    looks = parser.add_mutually_exclusive_group()
    for look, what in (
        ("check", "say whether it can work, and move nothing"),
        ("show", "show on which nodes the memory is; without OLD and NEW"),
    ):
        looks.add_argument(f"--{look}", dest="look", action="store_const", const=look, help=what)
    parser.add_argument(
        "--evict", action="store_true", help="evict the pages to swap instead; NEW may be left out"
    )
    add_without_swap(parser)


def _add_hosts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hosts",
        metavar="NODESET",
        help="reach these hosts by ClusterShell, h[1-4] or @group, instead of joining the job",
    )
    parser.add_argument(
        "--timeout",
        type=duration,
        metavar="TIME",
        help=f"how long a host may be silent before it is given up (60s; {TIMES})",
    )
    parser.add_argument(
        "--command",
        type=_command,
        metavar="COMMAND",
        help="how pymigrate is called on the hosts (by the interpreter that runs this one)",
    )


def _add_helper(parser: argparse.ArgumentParser) -> None:
    """What this command passes to itself on each host."""
    helper = parser.add_argument_group("on a host of the job")
    helper.add_argument(
        "--here", action="store_true", help="deal with the processes on this host alone"
    )
    helper.add_argument(
        "--leash",
        action="store_true",
        help="with --here: tell a launcher how far it is, and stop when standard input ends",
    )
    helper.add_argument(
        "--rows", type=rows, metavar="N", help="with --here: tell of so many processes at most"
    )
    helper.add_argument(
        "--every",
        type=duration,
        metavar="TIME",
        help="with --leash: between two signs of life (1s)",
    )


def _command(text: str) -> list[str]:
    """The words of a command."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no command: {error}") from None
    if not (words and words[0]):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no command; give a program, such as /opt/pymigrate/bin/pymigrate"
        )
    return words


def run(arguments: argparse.Namespace) -> int:
    """Does it on all hosts, or the part of this one, and prints the report."""
    # Imported for this command only: the others start without it.
    _refuse_what_would_be_ignored(arguments)
    wish = _wish(arguments)
    if arguments.here:
        from pymigrate.cli.job_part import run_here

        arguments.rows = arguments.rows or _ROWS
        arguments.every = arguments.every or _EVERY
        return run_here(arguments, wish)
    from pymigrate.launchers.marks import mark_as_launcher
    from pymigrate.launchers.remote import JobOnHosts

    mark_as_launcher()
    wishes = {name: getattr(arguments, name) for name in ("hosts", "timeout", "command")}
    wishes = {name: value for name, value in wishes.items() if value is not None}
    operation = JobOnHosts(arguments.target, wish, **wishes)
    with on_interrupt(operation.cancel) as interrupt:
        with progress_of_hosts(arguments, wish.action) as show:
            report = operation.run(show)
        stopped = interrupt.wait(0)
        print_report(report, arguments)
    if operation.elsewhere:
        complain(f"{arguments.target} has more hosts than --hosts names: {operation.elsewhere}")
    # A look that has begun comes to its end, and tells of no stop.
    return INTERRUPTED if stopped and report.only_looked else report.status


def _refuse_what_would_be_ignored(arguments: argparse.Namespace) -> None:
    for name, other in (("leash", "here"), ("rows", "here"), ("every", "leash")):
        if getattr(arguments, name) and not getattr(arguments, other):
            raise InvalidArgument(f"--{name} goes with --{other}")
    for name in ("hosts", "timeout", "command", "progress"):
        if arguments.here and getattr(arguments, name) is not None:
            raise InvalidArgument(f"--here is for this host alone; leave --{name} out")
    for name in ("evict", *BOUNDS) if arguments.look == "show" else ():
        if getattr(arguments, name):
            option = name.replace("_", "-")
            raise InvalidArgument(f"--show looks at memory as it is; leave --{option} out")


def _wish(arguments: argparse.Namespace) -> Wish:
    from pymigrate.launchers.wish import Wish

    old, new = arguments.old, arguments.new
    action = arguments.look or "migrate"
    if arguments.evict:
        action = "check-eviction" if arguments.look else "evict"
    elif new is None:  # one word says where to
        old, new = None, old
    return Wish(
        action,
        old,
        new,
        shared=arguments.shared,
        without_swap=arguments.without_swap,
        **bounds_of(arguments),
    )
