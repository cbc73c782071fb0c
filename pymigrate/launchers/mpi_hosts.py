"""The ranks of a communicator by host, and which of them acts for it."""

from __future__ import annotations

from contextlib import contextmanager

from pymigrate.launchers.inside import pid_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpi4py import MPI

__all__ = ["neighbours"]


@contextmanager
def neighbours(comm: MPI.Comm) -> Iterator[MPI.Comm]:
    """The ranks that this one shares memory and pids with, itself included. Collective.

    Its rank 0 can act for all of them. In containers that have pids of their own each container
    counts as a host, as its processes are not to be named from another.

    Args:
        comm: All ranks.
    """
    from mpi4py import MPI

    host = comm.Split_type(MPI.COMM_TYPE_SHARED, key=comm.rank)
    try:
        own = pid_namespace()
        group = host.Split(host.allgather(own).index(own), key=comm.rank)
    finally:
        host.Free()
    try:
        yield group
    finally:
        group.Free()
