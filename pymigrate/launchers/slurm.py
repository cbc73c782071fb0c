"""Jobs of Slurm, from outside: their hosts, and a helper step on each."""

from __future__ import annotations

import os
import re

from pymigrate.errors import InvalidArgument, JobRefused, LauncherError, NoSuchJob, quote
from pymigrate.launchers.marks import MARK
from pymigrate.launchers.natural import natural
from pymigrate.launchers.programs import ask, require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SlurmJob"]

_ID = re.compile(r"([0-9]+(?:[_+][0-9]+)?)(?:\.([0-9]+|batch|extern|interactive))?")
_RUNNING = ("RUNNING", "SUSPENDED")
_WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "RESV_DEL_HOLD")
_PACKAGE = "Slurm"

# Of the environment these alone say where Slurm is. Others, of the job that this may run in, would
# give a helper step other counts, memory and binding than it asks for.
_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT", "SLURM_CONF_SERVER")


class SlurmJob:
    """A job of Slurm, or one of its steps.

    Args:
        identity: ``1234``, ``1234.0``, ``1234.batch``; of an array ``1234_5``, heterogeneous
            ``1234+1``.

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
        self._nodes = ""

    def hosts(self) -> list[str]:
        """The hosts of the job or the step, as Slurm calls them.

        Raises:
            EngineMissing: Slurm's commands are not here.
            NoSuchJob: It is not known, waits, or has ended.
            LauncherError: The controller does not answer.
        """
        self._look_up()
        if self._step is not None:
            self._nodes = self._nodes_of_step()
        answer = ask(["scontrol", "show", "hostnames", self._nodes], _PACKAGE, self.environment())
        return answer.stdout.split()

    def target(self) -> str:
        """What a helper is told to look for; after ``hosts()``."""
        return f"slurm:{self._job}" + (f".{self._step}" if self._step else "")

    def command(self, hosts: Sequence[str], helper: Sequence[str]) -> list[str]:
        """What starts one helper on each host.

        Everything is spelled out: without counts a step lands on the first host alone, and within
        a batch script the counts of the script would win.
        """
        count = str(len(hosts))
        options = {
            "--jobid": self._job,
            "--nodes": count,
            "--ntasks": count,
            "--ntasks-per-node": "1",
            "--nodelist": self._nodes,  # h[1-10000]: no list of names that an argument cannot hold
            "--cpu-bind": "none",  # it works for all CPUs of the host, not on the first of them
            "--mpi": "none",
            "--input": "all",
            "--kill-on-bad-exit": "0",  # one that fails is no reason for the others to stop
            "--wait": "0",  # nor is one that is done
            "--chdir": "/",
            "--job-name": "pymigrate",
        }
        words = [f"{name}={value}" for name, value in options.items()]
        return [require("srun", _PACKAGE), "--overlap", *words, *helper]

    def environment(self) -> dict[str, str]:
        """For that command, which passes it on to the helpers."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SRUN_"))}
        kept.update((name, os.environ[name]) for name in _KEPT if name in os.environ)
        return {**kept, "LC_ALL": "C", MARK: "1"}

    def refusal(self, words: str) -> LauncherError:
        """What srun's words mean, where it has started nothing."""
        told = " ".join(words.split())
        if "denied" in words:
            return JobRefused(
                f"Slurm job {self._job} belongs to somebody else: {told}",
                reason="not-yours",
                remedy=f"its owner may do this; as root, without joining it: --hosts {self._nodes}",
            )
        if "expired" in words or "Invalid job id" in words:
            return NoSuchJob(f"Slurm job {self._job} has ended: {told}", reason="ended")
        return LauncherError(f"Slurm started no helper: {told or 'it said nothing'}")

    def _look_up(self) -> None:
        """Its number and its hosts; the id of an array stands for all its tasks that run."""
        form = "%A|%T|%N|%i"
        query = ["squeue", "--noheader", "--states=all", f"--jobs={self._job}", f"--format={form}"]
        answer = ask(query, _PACKAGE, self.environment())
        rows = [line.split("|", 3) for line in answer.stdout.splitlines()]
        if answer.returncode and "Invalid job id" not in answer.stderr:
            told = " ".join(answer.stderr.split()) or f"squeue ended with {answer.returncode}"
            raise LauncherError(
                f"Slurm does not answer: {told}", remedy="see whether sinfo(1) works here"
            )
        if not rows:
            raise NoSuchJob(
                f"Slurm knows no job {self._job}",
                reason="unknown",
                remedy="squeue(1) lists those that you may see; one that ended a while ago is "
                "forgotten",
            )
        running = [row for row in rows if row[1] in _RUNNING]
        if len(running) > 1:
            raise NoSuchJob(
                f"Slurm job {self._job} stands for {len(running)} jobs that run",
                reason="several",
                remedy=f"name one: {', '.join(sorted({row[3] for row in running}, key=natural))}",
            )
        if not running:
            raise _not_running(self._job, rows[0][1])
        self._job, _, self._nodes, _ = running[0]

    def _nodes_of_step(self) -> str:
        # All steps, as a query for one by name, such as batch, is answered with those by number.
        query = ["squeue", "--noheader", "--steps", f"--jobs={self._job}", "--format=%i|%N"]
        answer = ask(query, _PACKAGE, self.environment())
        nodes = dict(line.split("|", 1) for line in answer.stdout.splitlines())
        identity = f"{self._job}.{self._step}"
        if identity not in nodes:
            raise NoSuchJob(
                f"Slurm job {self._job} has no step {self._step} that runs",
                reason="unknown",
                remedy=f"it has {', '.join(nodes) or 'none'}",
            )
        return nodes[identity]


def _not_running(job: str, state: str) -> NoSuchJob:
    if state in _WAITING:
        return NoSuchJob(
            f"Slurm job {job} does not run yet: {state}",
            reason="pending",
            remedy="try again when squeue(1) says RUNNING",
        )
    return NoSuchJob(f"Slurm job {job} has ended: {state}", reason="ended")
