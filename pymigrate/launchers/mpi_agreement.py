"""All ranks of a communicator go ahead, or all of them raise: none waits for one that refused."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from mpi4py import MPI

    T = TypeVar("T")
    Told = tuple[int, str]  # a rank, and what it says

__all__ = ["Ballot", "agreed"]


@dataclass(frozen=True)
class Ballot:
    """What ranks say, in a size that does not grow with their number. Adding is associative.

    Attributes:
        first: The lowest rank that can go ahead, and with what.
        other: The lowest one that would go ahead with something else.
        refusal: The lowest one that cannot go ahead, and why.
    """

    first: Told | None
    refusal: Told | None
    other: Told | None = None

    def __add__(self, later: Ballot) -> Ballot:
        first = self.first or later.first
        differing = [
            told
            for told in (self.other, later.first, later.other)
            if told and first and told[1] != first[1]
        ]
        return Ballot(first, self.refusal or later.refusal, min(differing, default=None))


def agreed(comm: MPI.Comm, prepare: Callable[[], T], words: Callable[[T], str]) -> T:
    """What this rank has prepared, if all ranks have prepared the same. Collective.

    Args:
        comm: The ranks.
        prepare: Makes it, or raises.
        words: Tells it in a text that is equal where it is the same.

    Raises:
        InvalidArgument: Some rank could not prepare it, or two of them differ: on every rank.
        Exception: What ``prepare`` raised, on the ranks where it did.
    """
    fault: Exception | None = None
    try:
        value = prepare()
        ballot = Ballot((comm.rank, words(value)), None)
    except Exception as error:
        fault = error
        ballot = Ballot(None, (comm.rank, f"{type(error).__name__}: {error}"))
    ballot = comm.allreduce(ballot)  # adds in the order of ranks
    if fault:
        raise fault
    if ballot.refusal:
        raise InvalidArgument("rank {}: {}".format(*ballot.refusal))
    if ballot.first and ballot.other:
        raise InvalidArgument(
            "rank {} was given {!r}, and rank {} {!r}; ".format(*ballot.first, *ballot.other)
            + "give all ranks the same (where nodes differ by host a rule such as new='home')"
        )
    return value
