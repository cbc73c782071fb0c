"""What squeue and scontrol of Slurm tell of jobs, their steps and their hosts."""

from __future__ import annotations

import os
from typing import NamedTuple

from pymigrate.errors import LauncherError
from pymigrate.launchers.programs import ask, words_of

__all__ = ["PACKAGE", "Entry", "Step", "environment", "hosts_in", "is_part_of", "jobs", "steps"]

PACKAGE = "Slurm"

# Of the environment these alone say where Slurm is. Others, of the job that this may run in, would
# give a helper step other counts, memory and binding than it asks for; those by which people filter
# and sort what squeue(1) lists for them would hide a job.
_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT", "SLURM_CONF_SERVER")
_DROPPED = ("SLURM_", "SRUN_", "SQUEUE_", "SCONTROL_")


class Entry(NamedTuple):
    """A job. Each task of an array and each component of a heterogeneous job is one.

    Attributes:
        number: Its own, by which slurmd knows it.
        state: In a word.
        nodes: As Slurm writes them: ``h[1-4]``.
        name: Its id for people: ``1234``, ``1234_5``, ``1234+1``.
        reason: Why it waits.
    """

    number: str
    state: str
    nodes: str
    name: str
    reason: str

    @property
    def group(self) -> str:
        """Which component of a heterogeneous job it is; empty for others."""
        return self.name.partition("+")[2]

    @property
    def joined(self) -> str:
        """The id of what a step joins: a component is no job to srun, which takes the whole."""
        return self.name.partition("+")[0] if self.group else self.number


class Step(NamedTuple):
    """A step that runs.

    Attributes:
        job: Whose.
        identity: Its id for people: ``1234.0``, ``1234_5.batch``.
        name: In its job: ``0``, ``batch``; ``0+1`` of a step with components.
        nodes: As Slurm writes them.
    """

    job: Entry
    identity: str
    name: str
    nodes: str


def environment() -> dict[str, str]:
    """For the commands of Slurm."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
    kept.update((name, os.environ[name]) for name in _KEPT if name in os.environ)
    return {**kept, "LC_ALL": "C"}


def jobs(identity: str) -> list[Entry]:
    """The jobs that an id stands for; none, where Slurm knows none.

    Raises:
        EngineMissing: Slurm's commands are not here.
        LauncherError: The controller does not answer.
    """
    # It knows no component by its id, but lists all of them for that of the first.
    asked = identity.partition("+")[0]
    lines = _squeue("--states=all", f"--jobs={asked}", "--format=%A|%T|%N|%i|%r")
    rows = [line.split("|", 4) for line in lines]
    return [Entry(*row) for row in rows if len(row) == len(Entry._fields) and row[0].isdecimal()]


def steps(job: Entry) -> list[Step]:
    """The steps of a job that run; raises as ``jobs()``."""
    # All steps, as a query for one by name, such as batch, is answered with those by number. And
    # those of this job alone: the number of one task of an array stands for all of them, too.
    found = []
    for line in _squeue("--steps", f"--jobs={job.number}", "--format=%i|%N"):
        identity, _, nodes = line.partition("|")
        whose, _, name = identity.rpartition(".")
        if whose == (job.number if job.group else job.name):
            found.append(Step(job, identity, name, nodes))
    return found


def is_part_of(step: str, asked: str) -> bool:
    """Whether it is the step that is asked for, or a component of it: ``0+1`` of ``0``."""
    return asked in (step, step.partition("+")[0])


def hosts_in(nodes: str) -> list[str]:
    """The names in ``h[1-4]``, one by one; raises as ``jobs()``."""
    lines = _lines("scontrol", "show", "hostnames", nodes)
    return [line.strip() for line in lines if len(line.split()) == 1]


def _squeue(*options: str) -> list[str]:
    """What it lists, of hidden partitions too."""
    return _lines("squeue", "--noheader", "--all", *options)


def _lines(*command: str) -> list[str]:
    """What a command of Slurm prints; a site's own may have something to say besides.

    Raises:
        LauncherError: It fails, for another reason than that there is no such job.
    """
    answer = ask(command, PACKAGE, environment())
    if answer.returncode and "Invalid job id" not in answer.stderr:
        raise LauncherError(
            f"Slurm does not answer: {words_of(answer)}",
            remedy="see whether sinfo(1) works here",
        )
    return answer.stdout.splitlines()
