"""``JobOnHosts``: what is wished, done to a running job on all its hosts, from outside."""

from __future__ import annotations

import sys

from pymigrate._checks import check_time
from pymigrate.errors import InvalidArgument, InvalidType, LauncherError, NoSuchJob, quote
from pymigrate.launchers.aftermath import reckoned
from pymigrate.launchers.command_run import run_command
from pymigrate.launchers.conductor import Conductor
from pymigrate.launchers.engines import engine_of
from pymigrate.launchers.held import Held
from pymigrate.launchers.last_words import LastWords
from pymigrate.launchers.wish import Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.conductor import ClusterProgress
    from pymigrate.launchers.engines import Engine

__all__ = ["TIMEOUT", "JobOnHosts", "default_command"]

TIMEOUT = 60.0
"""Seconds for which a host may say nothing at all."""

_TIMEOUT_MIN = 1.0  # a helper takes some tenths of a second to start

_ROWS = 20_000  # of processes that all hosts together send; each sends some in any case
_FEWEST_ROWS = 8
_SIGNS_OF_LIFE = 4  # in the time that a host may be silent
_MESSAGES = 100  # in a second, of all hosts together


def default_command() -> list[str]:
    """How pymigrate is called on the hosts: by this interpreter, from where it is here."""
    return [sys.executable, "-m", "pymigrate"]


class JobOnHosts:
    """An operation on a job that runs on several hosts. ``run()`` it once.

    The engine that runs the job starts one helper on each of its hosts, which finds the processes
    there, does what is wished, and answers with its part of the report.

    Args:
        target: ENGINE:ID, such as ``"slurm:1234"`` or ``"slurm:1234.0"``.
        wish: What is to be done.
        hosts: A ClusterShell node set (``"gpu[1-8]"``, ``"@rack3"``): its hosts are reached by
            ClusterShell instead, which is for administrators and jobs of others.
        timeout: Seconds for which a host may say nothing, before it is given up.
        command: How pymigrate is called on the hosts; as here, if None.

    Raises:
        InvalidArgument: An argument makes no sense.
    """

    def __init__(
        self,
        target: str,
        wish: Wish,
        *,
        hosts: str | None = None,
        timeout: float = TIMEOUT,
        command: Sequence[str] | None = None,
    ) -> None:
        _check_arguments(wish, hosts, timeout, command)
        self._target = target
        self._engine = engine_of(target)
        if self._engine is None and hosts is None:
            raise InvalidArgument(f"{target!r} is on no hosts of its own; name them with --hosts")
        self._wish = wish
        self._hosts = hosts
        self._timeout = timeout
        self._command = list(default_command() if command is None else command)
        self._held = Held()
        self._has_run = False
        self._places = self._elsewhere = ""

    def cancel(self) -> None:
        """Makes every host stop after the step under way; from any thread or signal handler."""
        self._held.interrupt()

    @property
    def elsewhere(self) -> str:
        """Hosts that the job has besides those of ``hosts``, as a node set, once it has run.

        By their names without a domain. Empty where there are none, the engine does not tell, or
        none of ``hosts`` has a name that the engine knows.
        """
        return self._elsewhere

    def run(self, progress: Callable[[ClusterProgress], object] | None = None) -> ClusterReport:
        """Does it on all hosts, and gathers what they answer.

        Args:
            progress: Called whenever a host has told something.

        Raises:
            InvalidArgument: It has run already.
            EngineMissing: The engine's commands are not here.
            NoSuchJob: No such job runs, or it has no process on these hosts.
            JobRefused: The caller may not join it.
            LauncherError: The engine failed.
        """
        if self._has_run:
            raise InvalidArgument("an operation runs once; make another one")
        self._has_run = True
        if self._hosts is not None:
            report, where = self._over_clustershell(self._hosts, progress), "these hosts"
        else:
            assert self._engine
            report, where = self._over_engine(self._engine, progress), "its hosts"
        if report.complete and not report.processes:
            remedy = "see whether it runs, on which hosts, and whether it has a step"
            raise NoSuchJob(
                f"no process of {self._target} was found on {where}",
                reason="unknown",
                remedy=f"{remedy}; it is on {self._places}" if self._places else remedy,
            )
        return report

    def _over_engine(
        self, engine: Engine, progress: Callable[[ClusterProgress], object] | None
    ) -> ClusterReport:
        target, hosts = engine.find(), engine.hosts()
        if not hosts:
            raise LauncherError(f"the engine names no host of {self._target}")
        conductor = self._conduct(hosts, progress)
        words = LastWords(engine.said)
        status = run_command(engine, self._helper(target, len(hosts)), conductor, words)
        return reckoned(engine, self._command, status, conductor, words)

    def _over_clustershell(
        self, hosts: str, progress: Callable[[ClusterProgress], object] | None
    ) -> ClusterReport:
        # Imported for whoever has ClusterShell (extra ``clustershell``).
        from pymigrate.launchers.clustershell import besides, node_set, run_on_nodes

        nodes = node_set(hosts)
        # The hosts know a job by another id than people do, such as those of arrays.
        target = self._target
        if self._engine:
            target = self._engine.find()
            self._places = self._engine.places()
            self._elsewhere = besides(nodes, self._places)
        conductor = self._conduct(nodes, progress, at_once=False)
        run_on_nodes(nodes, self._helper(target, len(nodes)), conductor)
        return conductor.report()

    def _conduct(
        self,
        hosts: Sequence[str],
        progress: Callable[[ClusterProgress], object] | None,
        *,
        at_once: bool = True,
    ) -> Conductor:
        conductor = Conductor(self._wish.action, hosts, self._timeout, progress, at_once=at_once)
        self._held.begun(conductor)
        return conductor

    def _helper(self, target: str, hosts: int) -> list[str]:
        """The command of one host, which says no more than can be heard of all together."""
        rows = max(_FEWEST_ROWS, _ROWS // hosts)
        every = min(self._timeout / _SIGNS_OF_LIFE, max(1.0, hosts / _MESSAGES))
        leash = ["--here", "--leash", "--rows", str(rows), "--every", f"{every!r}s"]
        return [*self._command, "job", target, *self._wish.arguments(), *leash]


def _check_arguments(wish: object, hosts: object, timeout: float | None, command: object) -> None:
    """Refuses what makes no sense, whatever the engine."""
    if not isinstance(wish, Wish):
        raise InvalidType(f"wish {quote(wish)}: give a Wish")
    if not (hosts is None or isinstance(hosts, str)):
        raise InvalidType(f"hosts {quote(hosts)}: give a node set as text, such as 'h[1-4]'")
    if hosts is not None and not hosts.strip():
        raise InvalidArgument(f"hosts {quote(hosts)}: name one at the least, such as 'h[1-4]'")
    check_time("timeout", timeout)
    if timeout is None:
        raise InvalidType("timeout None: a number has to be given, in seconds")
    if timeout < _TIMEOUT_MIN:
        raise InvalidArgument(f"timeout {quote(timeout)}: give {_TIMEOUT_MIN:g} s at the least")
    if command is None:
        return
    fault = f"command {quote(command)}: give the words of a command, such as ['pymigrate']"
    if not isinstance(command, (list, tuple)) or not all(isinstance(it, str) for it in command):
        raise InvalidType(fault)
    if not command or not command[0]:
        raise InvalidArgument(fault)
