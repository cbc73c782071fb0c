"""``pymigrate show``: on which nodes the memory of processes is."""

from __future__ import annotations

import json

from pymigrate.cli.arguments import add_json, add_parser
from pymigrate.cli.status import DONE, FAILED
from pymigrate.cli.streams import complain
from pymigrate.cli.target import EMPTY, add_kinds, job_of, pids_in
from pymigrate.errors import Error, NoSuchProcess, NoUserMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pymigrate.cli.arguments import Subparsers


_STATUSES = """\
  0    done
  2    an error; of several processes one at least could not be looked at
  130  stopped by Ctrl-C, SIGTERM or SIGHUP
"""


def add_to(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = add_parser(
        subparsers,
        "show",
        "show on which nodes the memory of processes is",
        "Show the memory of processes by node and by what it is made of: anonymous memory, files, "
        "shared memory, and huge pages of a pool (hugetlb).",
        _STATUSES,
    )
    parser.add_argument("targets", metavar="PID", nargs="+", help="a process; several as 12,13 too")
    add_kinds(parser)
    parser.add_argument("--vmas", action="store_true", help="show each mapping too")
    parser.add_argument(
        "--thp", action="store_true", help="count transparent huge pages too, which takes longer"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def _pids_of(arguments: argparse.Namespace) -> list[int]:
    """Each process that is meant, as often as it is named; the members of jobs once."""
    pids: list[int] = []
    for text in arguments.targets:
        if arguments.kind:
            pids += [pid for pid in job_of(arguments.kind, text).pids() if pid not in pids]
        else:
            pids += pids_in(text)
    return pids


def run(arguments: argparse.Namespace) -> int:
    """Shows each process. One that cannot be looked at does not keep the others from it."""
    # Imported for this command only: the others start without it.
    from pymigrate.cli.process_view import ProcessView

    if not arguments.json:
        from pymigrate.cli.show_tables import print_process
    processes = []
    failed = False
    pids = _pids_of(arguments)
    if not pids:
        complain(EMPTY)
    for pid in pids:
        try:
            view = ProcessView.look(pid, thp=arguments.thp, with_vmas=arguments.vmas)
        except Error as error:
            if arguments.kind and isinstance(error, (NoSuchProcess, NoUserMemory)):
                continue  # nobody has named it, and it has ended, or is a thread of the kernel's
            complain(error)
            processes.append({"pid": pid, "error": error.to_dict()})
            failed = True
        else:
            if arguments.json:
                processes.append(view.to_dict())
            else:
                print_process(view)
    if arguments.json:
        print(json.dumps({"processes": processes}))
    return FAILED if failed else DONE
