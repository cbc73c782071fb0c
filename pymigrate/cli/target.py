"""Whose memory a subcommand is about: one process, or the processes of a job."""

from __future__ import annotations

import argparse

from pymigrate.cli.arguments import pid
from pymigrate.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.job import Job

__all__ = ["add_target", "target_of"]

_KINDS = {
    "tree": "PID and its descendants",
    "session": "the session of PID",
    "group": "the process group of PID",
    "cgroup": "a cgroup and those below it; its folder stands in the place of PID",
}


def add_target(parser: argparse.ArgumentParser) -> None:
    """The process or processes, and how a job is made of them."""
    parser.add_argument("target", metavar="PID", help="the process; several as 12,13,14")
    kinds = parser.add_mutually_exclusive_group()
    for kind, meaning in _KINDS.items():
        kinds.add_argument(
            f"--{kind}", dest="kind", action="store_const", const=kind, help=f"a job: {meaning}"
        )


def target_of(arguments: argparse.Namespace) -> int | Job:
    """The one process by its pid, or the job.

    Raises:
        InvalidArgument: What was given is neither.
        NoSuchProcess: There is no such process.
    """
    text: str = arguments.target
    if not arguments.kind and "," not in text:
        return _pids(text)[0]
    # Imported for jobs only: single processes start without it.
    from pymigrate.job import Job

    if arguments.kind == "cgroup":
        return Job.cgroup(text)
    pids = _pids(text)
    if not arguments.kind:
        return Job.of(pids)
    if len(pids) > 1:
        raise InvalidArgument(f"{text!r}: --{arguments.kind} takes one PID")
    job: Job = getattr(Job, arguments.kind)(pids[0])
    return job


def _pids(text: str) -> list[int]:
    try:
        return [pid(part) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise InvalidArgument(str(error)) from None
