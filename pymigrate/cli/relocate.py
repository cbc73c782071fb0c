"""``pymigrate relocate``: a cgroup gets other nodes, and its memory comes along."""

from __future__ import annotations

import argparse

from pymigrate.cli.arguments import add_json, add_parser, node_set
from pymigrate.cli.controls import (
    add_bounds,
    add_progress,
    add_shared,
    bounds_of,
    print_processes,
    progress_of,
)
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.cli.status import DONE, INTERRUPTED, PAGES_LEFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.cli.arguments import Subparsers
    from pymigrate.jobs.job_operation import JobOperation

_STATUSES = """\
  0    all memory of the cgroup is on its new nodes
  1    pages were left elsewhere, or a process could not be dealt with: see the report
  2    an error: it is not changed, or changed back, unless the error says that it is not
  130  stopped by Ctrl-C, SIGTERM or SIGHUP: with a report, which says what has moved, the cgroup
       has the new nodes; without one the old setting is back
"""


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "relocate",
        "give a cgroup other nodes, and bring its memory there",
        "Change cpuset.mems of a cgroup (and cpuset.cpus), and move the memory of its processes "
        "that the kernel does not bring along. On failure the old setting comes back.",
        _STATUSES,
    )
    parser.add_argument("folder", metavar="CGROUP", help="its folder, below /sys/fs/cgroup")
    parser.add_argument(
        "--mems", required=True, type=node_set, metavar="LIST", help="the nodes that it gets"
    )
    parser.add_argument(
        "--cpus", metavar="LIST", help="the CPUs that it gets, 0-3,8 (those that it has)"
    )
    add_shared(parser)
    add_bounds(parser)
    add_progress(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Relocates and prints the report."""
    # Imported for this command only: the others start without it.
    from pymigrate.jobs.relocation import relocate

    stop = _Stop()
    with on_interrupt(stop.stop):
        with progress_of(arguments, "relocating") as show:
            done = relocate(
                arguments.folder,
                arguments.mems,
                cpus=arguments.cpus,
                shared=arguments.shared,
                progress=show,
                begun=stop.watch,
                **bounds_of(arguments),
            )
        if not arguments.json:
            print_processes(done.report)
        print(done.to_json() if arguments.json else done, flush=True)
    if done.report.outcome == "cancelled":
        return INTERRUPTED
    return DONE if done.complete else PAGES_LEFT


class _Stop:
    """What Ctrl-C does: it stops the migration, or before that takes the change back."""

    def __init__(self) -> None:
        self._operation: JobOperation | None = None
        self._stopped = False

    def watch(self, operation: JobOperation) -> None:
        """The migration begins."""
        self._operation = operation
        if self._stopped:  # what was raised got lost, as in a destructor
            operation.cancel()

    def stop(self) -> None:
        """Cancels it; where there is none, raises what has the old setting put back, once."""
        again, self._stopped = self._stopped, True
        if self._operation:
            self._operation.cancel()
        elif not again:
            raise KeyboardInterrupt
