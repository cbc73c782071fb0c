"""The part of a Flux job that is on this host: its processes and their ranks.

Flux gives each task ``FLUX_JOB_ID`` and ``FLUX_TASK_RANK`` (flux-environment(7)): so they tell the
members, those that are forked late among them, and nobody has to be asked. What a task starts need
not have them: the broker of an instance takes them from its initial program, and containers may be
started with a clean environment. Such processes are known by whom they come from.
"""

from __future__ import annotations

from pymigrate.launchers.lineage import descended, parents
from pymigrate.launchers.marks import environment_of
from pymigrate.launchers.part import Part, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FluxPart"]


class FluxPart(Part):
    """The processes of a job on this host that may be looked at.

    Args:
        identity: The id in the form f58, beginning with an f of whatever kind.
    """

    def __init__(self, identity: str) -> None:
        super().__init__()
        self._job = _bare(identity)

    def _find(self) -> Mapping[int, Place]:
        family = parents()
        return descended(dict(self._tasks(family)), family)

    def _tasks(self, pids: Iterable[int]) -> Iterator[tuple[int, Place]]:
        for pid in pids:
            variables = environment_of(pid)
            rank = variables.get("FLUX_TASK_RANK", "")
            if rank.isdecimal() and _bare(variables.get("FLUX_JOB_ID", "")) == self._job:
                yield pid, Place(int(rank))


def _bare(identity: str) -> str:
    """The id without the sign of its form, which is an f or, where there is UTF-8, a script f."""
    return identity[1:] if identity[:1] in ("f", "\N{LATIN SMALL LETTER F WITH HOOK}") else identity
