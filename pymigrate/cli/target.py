"""Whose memory a subcommand is about: one process, or the processes of a job."""

from __future__ import annotations

import argparse

from pymigrate.cli.arguments import pid
from pymigrate.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.jobs.job import Job

__all__ = ["EMPTY", "add_kinds", "add_target", "job_of", "pids_in", "target_of"]

EMPTY = "the job has no process now"
"""What is told where a job is nobody: a cgroup that is empty, for example."""

_KINDS = {
    "tree": "PID and its descendants",
    "session": "the session of PID",
    "group": "the process group of PID",
    "cgroup": "a cgroup and those below it; its folder stands in the place of PID",
}


def add_target(parser: argparse.ArgumentParser) -> None:
    """The process or processes, and how a job is made of them."""
    parser.add_argument("target", metavar="PID", help="the process; several as 12,13,14")
    add_kinds(parser)


def add_kinds(parser: argparse.ArgumentParser) -> None:
    """How a job is made of a PID."""
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
        return pids_in(text)[0]
    return job_of(arguments.kind, text)


def job_of(kind: str | None, text: str) -> Job:
    """The job of a kind, or that of several pids; raises as ``target_of()``."""
    # Imported for jobs only: single processes start without it.
    from pymigrate.jobs.job import Job

    if kind == "cgroup":
        return Job.cgroup(text)
    pids = pids_in(text)
    if not kind:
        return Job.of(pids)
    if len(pids) > 1:
        raise InvalidArgument(f"{text!r}: --{kind} takes one PID")
    job: Job = getattr(Job, kind)(pids[0])
    return job


def pids_in(text: str) -> list[int]:
    """The pids in a list such as 12,13."""
    try:
        return [pid(part) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise InvalidArgument(str(error)) from None
