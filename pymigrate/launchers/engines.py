"""ENGINE:ID, and what knows about it: from outside, and on a host."""

from __future__ import annotations

from typing import Protocol

from pymigrate.errors import InvalidArgument, InvalidType, LauncherError, quote
from pymigrate.launchers.cgroup_part import CgroupPart
from pymigrate.launchers.flux import FluxJob
from pymigrate.launchers.flux_part import FluxPart
from pymigrate.launchers.slurm import SlurmJob
from pymigrate.launchers.slurm_part import SlurmPart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymigrate.launchers.last_words import Said
    from pymigrate.launchers.part import Part

__all__ = ["ENGINES", "Engine", "engine_of", "part_of"]


class Engine(Protocol):
    """A job, as the engine that runs it knows it."""

    def find(self) -> str:
        """Asks the engine; ENGINE:ID, in the form by which its hosts know the job.

        Raises:
            EngineMissing: The engine's commands are not here.
            NoSuchJob: It is not known, waits, or has ended.
            LauncherError: The engine does not answer.
        """

    def hosts(self) -> list[str]:
        """Its hosts, by the names that the engine has for them; after ``find()``.

        Raises:
            JobRefused: No helper could be started there.
            NoSuchJob, LauncherError: As above.
        """

    def places(self) -> str:
        """The same, as the engine writes them; after ``find()``.

        Raises:
            NoSuchJob, LauncherError: As above.
        """

    def command(self, helper: Sequence[str]) -> list[str]:
        """What starts one helper on each of them, and passes on what it says; after ``hosts()``."""

    def environment(self) -> dict[str, str]:
        """For that command."""

    def said(self, line: str) -> Said:
        """Whose a line is that the command has passed on, or said by itself."""

    def refusal(self, words: str) -> LauncherError:
        """What the words of that command mean, where it has started nothing."""

    def remains(self) -> str:
        """What stays of it where hosts did not answer and it had to be killed; may be empty."""


_FROM_OUTSIDE: dict[str, Callable[[str], Engine]] = {"slurm": SlurmJob, "flux": FluxJob}
_ON_A_HOST: dict[str, Callable[[str], Part]] = {
    "slurm": SlurmPart,
    "flux": FluxPart,
    "cgroup": CgroupPart,
}

ENGINES = tuple(_ON_A_HOST)
"""What can stand before the colon."""


def engine_of(target: str) -> Engine | None:
    """What knows a job from outside; None for what no engine runs, such as a cgroup.

    Raises:
        InvalidArgument: There is no such engine, or that is no id of its jobs.
    """
    engine, identity = _split(target)
    return _FROM_OUTSIDE[engine](identity) if engine in _FROM_OUTSIDE else None


def part_of(target: str) -> Part:
    """What knows the part of a job on this host; raises as ``engine_of()``."""
    engine, identity = _split(target)
    return _ON_A_HOST[engine](identity)


def _split(target: str) -> tuple[str, str]:
    if not isinstance(target, str):
        raise InvalidType(f"{quote(target)} is no job; write ENGINE:ID, such as 'slurm:1234'")
    engine, colon, identity = target.partition(":")
    if not (colon and identity) or engine not in ENGINES:
        raise InvalidArgument(
            f"{quote(target)} is no job; write ENGINE:ID, such as slurm:1234, with one of "
            f"{', '.join(ENGINES)}"
        )
    return engine, identity
