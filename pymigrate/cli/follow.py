"""``pymigrate follow``: the memory of processes comes to where they run, as long as they do."""

from __future__ import annotations

from pymigrate.cli.arguments import add_parser
from pymigrate.cli.controls import add_bounds, add_shared, bounds_of
from pymigrate.cli.home import add_place
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.quantities import duration, size
from pymigrate.cli.status import DONE
from pymigrate.cli.streams import complain
from pymigrate.cli.target import EMPTY, add_target, target_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers

_STATUSES = """\
  0    the job has ended, or Ctrl-C, SIGTERM or SIGHUP has ended this
  2    an error, such as a process that is not there
  130  Ctrl-C, SIGTERM or SIGHUP came before it had begun to look
"""


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "follow",
        "keep the memory of a process or a job where it runs",
        "Look again and again where processes run, and move memory there that is elsewhere. Prints "
        "a line for each thing that happens, and is quiet where nothing does.",
        _STATUSES,
    )
    add_target(parser)
    add_place(parser)
    for name, what in (
        ("interval", "between two looks (5s)"),
        ("settle", "that a process stays in a place before its memory follows (5s)"),
        ("recheck", "between two looks at the memory of a process that stays (1min)"),
    ):
        parser.add_argument(f"--{name}", type=duration, metavar="TIME", help=f"time {what}")
    parser.add_argument(
        "--threshold", type=size, metavar="SIZE", help="memory elsewhere that is put up with (1M)"
    )
    add_shared(parser)
    add_bounds(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object for each thing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follows until the job has ended, or a signal says so."""
    # Imported for this command only: the others start without it.
    from pymigrate.jobs.following import Follower

    names = ("interval", "settle", "recheck", "threshold")
    habits = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    target = target_of(arguments)
    if not isinstance(target, int) and not target.pids():
        complain(f"{EMPTY}: there is nothing to follow")
    follower = Follower(
        target,
        by=arguments.by,
        device=arguments.device,
        shared=arguments.shared,
        **habits,
        **bounds_of(arguments),
    )
    with on_interrupt(follower.stop):
        for event in follower:
            print(event.to_json() if arguments.json else event, flush=True)
    return DONE
