"""Dask: the workers of a cluster, each migrated by itself, gathered into one report."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import islice

from pymigrate import _files
from pymigrate.errors import InvalidArgument, InvalidType, LauncherError, quote
from pymigrate.launchers import account
from pymigrate.launchers.cluster_report import ClusterReport
from pymigrate.launchers.here import host_name
from pymigrate.launchers.host_row import HostRow
from pymigrate.launchers.inside import answer, pid_namespace
from pymigrate.launchers.wish import Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from distributed import Client, Worker

    from pymigrate.nodemask import Nodes

    # Host, boot of the machine (random(4)), namespace of pids (pid_namespaces(7)), pid.
    Identity = tuple[str, str, str, int]

__all__ = ["gathered", "migrate_worker", "migrate_workers"]


_NAMED = 3  # workers that are there, for who has asked for another


def migrate_workers(
    client: Client,
    old: Nodes | None = None,
    new: Nodes | None = None,
    *,
    workers: Collection[str] | str | None = None,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
) -> ClusterReport:
    """Migrates the memory of the workers of a cluster, all at the same time.

    A worker that fails or is lost is a row in the report, and hides no other. Workers go on with
    their tasks meanwhile. Those that are threads of one process are dealt with once.

    Args:
        client: Of the cluster; not an asynchronous one.
        old: Nodes to move pages from, or a rule, as for ``mpi.migrate_job()``.
        new: Nodes to move them to, or a rule.
        workers: Their addresses, or one of them; None: all that the scheduler knows.
        shared: Whether pages that several processes map are moved; None: where that is permitted.
        rate: Bytes that each worker may move in a second.
        max_stall: Seconds that one step may hold a worker up.

    Raises:
        InvalidArgument: An argument makes no sense, or there is no worker. Nothing was moved.
    """
    _check_client(client)
    bounds: dict[str, Any] = {"shared": shared, "rate": rate, "max_stall": max_stall}
    Wish("migrate", old, new, **bounds)  # refuses what makes no sense to any of them
    known: Mapping[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    chosen = list(known) if workers is None else _addresses(workers)
    if not chosen:
        raise InvalidArgument(f"there is no worker to migrate; the scheduler has {len(known)}")
    unknown = {address: _unknown(address, known) for address in chosen if address not in known}
    there = [address for address in chosen if address not in unknown]
    found = client.run(_identity, workers=there, on_error="return")
    lost = {address: error for address, error in found.items() if isinstance(error, Exception)}
    processes = {who: address for address, who in found.items() if address not in lost}
    results = client.run(
        migrate_worker, old, new, workers=list(processes.values()), on_error="return", **bounds
    )
    return gathered({**unknown, **lost, **results})


async def migrate_worker(
    old: Nodes | None = None,
    new: Nodes | None = None,
    *,
    shared: bool | None = None,
    rate: float | None = None,
    max_stall: float | None = None,
    dask_worker: Worker | None = None,
) -> ClusterReport:
    """Migrates the memory of the worker that it runs on, for ``Client.run()``.

    What every worker answers stays apart then::

        results = client.run(migrate_worker, 0, 1, on_error="return")

    Args:
        old: As for ``migrate_workers()``, like the following.
        new: See there.
        shared: See there.
        rate: See there.
        max_stall: See there.
        dask_worker: Given by Dask. A name that is a number becomes the rank in the report.

    Raises:
        InvalidArgument: An argument makes no sense.
    """
    wish = Wish("migrate", old, new, shared, rate, max_stall)
    name = getattr(dask_worker, "name", None)
    rank = name if type(name) is int else None
    # In a thread: the loop of the worker has to tell the scheduler that it lives.
    return await asyncio.to_thread(answer, {os.getpid(): rank}, wish)


def gathered(results: Mapping[str, Any]) -> ClusterReport:
    """What ``Client.run(migrate_worker, ..., on_error="return")`` returned, as one report.

    Args:
        results: By address: a report, or the error of a worker. A worker that has answered with an
            error is a row under its address.

    Raises:
        InvalidType: It is something else.
    """
    if not isinstance(results, Mapping):
        raise InvalidType(f"results {quote(results)}: give what Client.run() returned")
    return ClusterReport.merged(_part(address, result) for address, result in results.items())


def _part(address: str, result: Any) -> ClusterReport:
    if isinstance(result, ClusterReport):
        return result
    return account.failed("migrate", HostRow.failed(address, result))


def _identity() -> Identity:
    """What two workers have in common if they are one process.

    Hosts may all have the same name, such as localhost, so the machine is known by its boot.
    """
    boot = ""
    with suppress(OSError):  # no /proc
        boot = _files.read_text("/proc/sys/kernel/random/boot_id")
    return host_name(), boot, pid_namespace(), os.getpid()


def _unknown(address: str, known: Collection[str]) -> LauncherError:
    """The error for a worker that the scheduler lacks; asked for it, Dask would try for long."""
    some = ", ".join(islice(known, _NAMED)) + ", ..." * (len(known) > _NAMED)
    return LauncherError(f"the scheduler has no worker {address}; it has {some or 'none'}")


def _addresses(workers: object) -> list[str]:
    if isinstance(workers, str):
        return [workers]
    if not isinstance(workers, Collection) or not all(isinstance(it, str) for it in workers):
        raise InvalidType(
            f"workers {quote(workers)}: give their addresses, as tcp://10.0.0.7:41234"
        )
    return list(workers)


def _check_client(client: Client) -> None:
    library: ModuleType | None = sys.modules.get("distributed")
    if library is None or not isinstance(client, library.Client):
        raise InvalidType(f"client {quote(client)}: give a distributed.Client")
    if client.status in ("closing", "closed"):
        raise InvalidArgument("the client is closed; give one that is connected to the scheduler")
    if client.asynchronous:
        raise InvalidArgument(
            "the client is asynchronous: await client.run(migrate_worker, OLD, NEW, "
            "on_error='return'), and give what it returns to gathered()"
        )
