"""Jobs of Slurm, from outside: their hosts, and a helper step on each."""

from __future__ import annotations

import re
from typing import NamedTuple

from pymigrate.errors import InvalidArgument, JobRefused, LauncherError, NoSuchJob, quote
from pymigrate.launchers import slurm_queue, srun_words
from pymigrate.launchers.marks import MARK, mark
from pymigrate.launchers.natural import natural
from pymigrate.launchers.programs import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pymigrate.launchers.last_words import Said
    from pymigrate.launchers.slurm_queue import Entry

__all__ = ["SlurmJob"]

_ID = re.compile(r"([0-9]+(?:[_+][0-9]+)?)(?:\.([0-9]+(?:\+[0-9]+)?|batch|extern|interactive))?")
# States of jobs (squeue(1)). Others come with later releases, and are told as they are.
_BEGUN = ("RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING")
_WAITING = (
    "PENDING",
    "CONFIGURING",
    "POWER_UP_NODE",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESV_DEL_HOLD",
    "SPECIAL_EXIT",
)
_ENDING = ("COMPLETING", "STAGE_OUT")
_ENDED = (
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
)


class _Crew(NamedTuple):
    """Hosts on which one step starts helpers; a step is within one component."""

    entry: Entry
    nodes: str
    hosts: Sequence[str]


class SlurmJob:
    """A job of Slurm, or one of its steps.

    Args:
        identity: ``1234``, ``1234.0``, ``1234.batch``; of an array ``1234_5``; ``1234+1`` of a
            heterogeneous job, of which ``1234`` is all components.

    Raises:
        InvalidArgument: That is no id.
    """

    def __init__(self, identity: str) -> None:
        found = _ID.fullmatch(identity)
        if found is None:
            raise InvalidArgument(
                f"{quote(identity)} is no id of a Slurm job; write 1234, or 1234.0 for a step"
            )
        self._job, self._step = found[1], found[2]
        self._entries: list[Entry] = []
        self._crews: list[_Crew] = []
        self._hosts: list[str] = []

    def find(self) -> str:
        """What a helper is told to look for: the numbers by which slurmd knows the job.

        Raises:
            EngineMissing: Slurm's commands are not here.
            NoSuchJob: It is not known, waits, or has ended; or the id stands for several.
            LauncherError: The controller does not answer.
        """
        known = slurm_queue.jobs(self._job)
        found = [entry for entry in known if "+" not in self._job or entry.name == self._job]
        if not found:
            raise _unknown(self._job, known)
        begun = [entry for entry in found if entry.state in _BEGUN]
        if not begun:
            raise _not_running(self._job, found[0])
        if len({entry.joined for entry in begun}) > 1:
            raise NoSuchJob(
                f"Slurm job {self._job} stands for {len(begun)} jobs that run",
                reason="several",
                remedy=f"name one: {_names(begun)}",
            )
        self._entries = sorted(begun, key=lambda entry: natural(entry.name))
        numbers = ",".join(entry.number for entry in self._entries)
        return f"slurm:{numbers}" + (f".{self._step}" if self._step else "")

    def hosts(self) -> list[str]:
        """The hosts of the job or the step, as Slurm calls them; after ``find()``.

        Raises:
            NoSuchJob: It has no such step.
            JobRefused: It is suspended, so that Slurm would start no step of it.
        """
        stopped = [entry for entry in self._entries if entry.state == "SUSPENDED"]
        if stopped:
            raise JobRefused(
                f"Slurm job {_names(stopped)} is suspended, and no step of it starts before it is "
                "resumed",
                reason="suspended",
                remedy=f"scontrol resume {stopped[0].name}; or as root, without joining it: "
                f"--hosts {self._nodes()}",
            )
        # Components have no host in common: Slurm gives a node to one of them.
        self._crews = [_crew(entry, nodes) for entry, nodes in self._found().items()]
        self._hosts = [host for crew in self._crews for host in crew.hosts]
        return self._hosts

    def places(self) -> str:
        """Its hosts, as Slurm writes them: ``h[1-4]``; after ``find()``.

        Raises:
            NoSuchJob: It has no such step.
        """
        return ",".join(part for nodes in self._found().values() for part in nodes)

    def command(self, helper: Sequence[str]) -> list[str]:
        """What starts one helper on each host; after ``hosts()``.

        Everything is spelled out: without counts a step lands on the first host alone, and within
        a batch script the counts of the script would win.
        """
        words = [require("srun", slurm_queue.PACKAGE)]
        for number, crew in enumerate(self._crews):
            words += [":"] * bool(number)
            words += ["--overlap", *_options(crew, first=not number), *helper]
        return words

    def environment(self) -> dict[str, str]:
        """For that command, which passes it on to the helpers."""
        return {**slurm_queue.environment(), MARK: mark()}

    def said(self, line: str) -> Said:
        """Whose a line is that srun has passed on, or said."""
        return srun_words.said(line, self._hosts, [crew.hosts for crew in self._crews])

    def refusal(self, words: str) -> LauncherError:
        """What srun's words mean, where it has started nothing."""
        told = " ".join(words.split())
        if "denied" in words:
            return JobRefused(
                f"Slurm job {self._job} belongs to somebody else: {told}",
                reason="not-yours",
                remedy="its owner may do this; as root, without joining it: "
                f"--hosts {self._nodes()}",
            )
        if "expired" in words or "Invalid job id" in words:
            return NoSuchJob(f"Slurm job {self._job} has ended: {told}", reason="ended")
        return LauncherError(f"Slurm started no helper: {told or 'it said nothing'}")

    def remains(self) -> str:
        """What stays where srun had to be killed: slurmd alone ends a step."""
        return "srun could not end its step, which squeue(1) lists until slurmd there has ended it"

    def _nodes(self) -> str:
        return ",".join(entry.nodes for entry in self._entries)

    def _found(self) -> dict[Entry, list[str]]:
        """The jobs that have what is asked for, and where; a step may have components, too."""
        if self._step is None:
            return {entry: [entry.nodes] for entry in self._entries}
        steps = [step for entry in self._entries for step in slurm_queue.steps(entry)]
        found: dict[Entry, list[str]] = {}
        for step in steps:
            if slurm_queue.is_part_of(step.name, self._step):
                found.setdefault(step.job, []).append(step.nodes)
        if not found:
            raise NoSuchJob(
                f"Slurm job {self._job} has no step {self._step} that runs",
                reason="unknown",
                remedy=f"it has {', '.join(step.identity for step in steps) or 'none'}",
            )
        return found


def _crew(entry: Entry, nodes: list[str]) -> _Crew:
    if len(nodes) == 1:
        return _Crew(entry, nodes[0], slurm_queue.hosts_in(nodes[0]))
    # Components of a step may have hosts in common. In the order in which srun counts its tasks.
    meant = {host for part in nodes for host in slurm_queue.hosts_in(part)}
    hosts = [host for host in slurm_queue.hosts_in(entry.nodes) if host in meant]
    return _Crew(entry, ",".join(hosts), hosts)


def _options(crew: _Crew, *, first: bool) -> list[str]:
    """What srun is told for one component, or for the job; the first says it for all."""
    count = str(len(crew.hosts))
    options = {
        "--nodes": count,
        "--ntasks": count,
        "--ntasks-per-node": "1",
        "--nodelist": crew.nodes,  # h[1-10000]: no list of names that an argument cannot hold
        "--cpu-bind": "none",  # it works for all CPUs of the host, not on the first of them
        "--mem": "0",  # all that the job has, and --overlap shares it: before Slurm 22.05 a step
        "--gres": "none",  # waits for its share of memory and of GPUs otherwise
    }
    if crew.entry.group:
        options["--het-group"] = crew.entry.group
    if first:
        options |= {
            "--jobid": crew.entry.joined,
            "--mpi": "none",
            "--input": "all",
            "--kill-on-bad-exit": "0",  # one that fails is no reason for the others to stop
            "--wait": "0",  # nor is one that is done
            "--chdir": "/",
            "--job-name": "pymigrate",
        }
    # A host that fails later is no reason for the others to stop either.
    flags = ["--no-kill", *["--label"] * first]
    return flags + [f"{name}={value}" for name, value in options.items()]


def _names(entries: Iterable[Entry]) -> str:
    return ", ".join(sorted({entry.name for entry in entries}, key=natural))


def _unknown(job: str, others: Sequence[Entry]) -> NoSuchJob:
    if others:  # components, of which it is none
        remedy = f"there is {_names(others)}"
    else:
        remedy = "squeue(1) lists those that you may see; one that ended a while ago is forgotten"
    return NoSuchJob(f"Slurm knows no job {job}", reason="unknown", remedy=remedy)


def _not_running(job: str, entry: Entry) -> NoSuchJob:
    if entry.state in _WAITING:
        return NoSuchJob(
            f"Slurm job {job} does not run yet: {entry.state} ({entry.reason})",
            reason="pending",
            remedy="try again when squeue(1) says RUNNING",
        )
    if entry.state in (*_ENDING, *_ENDED):
        ended = "is ending" if entry.state in _ENDING else "has ended"
        return NoSuchJob(f"Slurm job {job} {ended}: {entry.state}", reason="ended")
    return NoSuchJob(
        f"Slurm job {job} is in the state {entry.state}",
        reason="unknown",
        remedy="try again when squeue(1) says RUNNING",
    )
