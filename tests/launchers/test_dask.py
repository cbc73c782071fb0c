"""Workers of a real Dask cluster, each a process; on one node nothing can move."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import requires

from pymigrate import InvalidArgument, InvalidNodes, InvalidType
from pymigrate.launchers.dask import gathered, migrate_worker, migrate_workers

distributed = pytest.importorskip(
    "distributed", reason="distributed is missing: pip install pymigrate-numa[dask]"
)
if TYPE_CHECKING:
    from distributed import Client, Worker

# What goes wrong on purpose is told in its log.
logging.getLogger("distributed").setLevel(logging.CRITICAL)

# What the library itself warns of on the newest Pythons is no finding of ours.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Of three workers, named 0 to 2."""
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected


def pids(client: Client) -> dict[str, int]:
    found: dict[str, int] = client.run(os.getpid)
    return found


def test_each_worker_is_a_row(client: Client) -> None:
    report = migrate_workers(client, 0, 0)
    assert report.complete
    assert [row.rank for row in report.ranks] == [0, 1, 2]
    assert {row.pid for row in report.ranks} == set(pids(client).values())
    assert report.total.pages.asked == report.total.pages.already_there > 0
    assert [row.processes for row in report.hosts] == [3]


def test_some_workers(client: Client) -> None:
    address, pid = next(iter(pids(client).items()))
    report = migrate_workers(client, new="home", workers=[address])
    assert [row.pid for row in report.ranks] == [pid]
    report = migrate_workers(client, new="home", workers=address)
    assert [row.pid for row in report.ranks] == [pid]


def test_what_is_refused_by_a_worker_is_told_by_it(client: Client) -> None:
    report = migrate_workers(client, 0, 1023)
    assert report.outcome == "failed"
    assert all("node 1023" in row.finding for row in report.ranks)
    report = migrate_workers(client, new="device:ib7")
    assert [row.error for row in report.hosts] == ["UnknownNode"]


def test_what_makes_no_sense_is_refused_before(client: Client) -> None:
    with pytest.raises(InvalidNodes):
        migrate_workers(client, 0, "x")
    with pytest.raises(InvalidArgument, match="rate"):
        migrate_workers(client, 0, 0, rate=-1)
    for odd in (1, [1], b"tcp://127.0.0.1:1"):
        with pytest.raises(InvalidType, match=r"workers .*: give their addresses"):
            migrate_workers(client, 0, 0, workers=odd)  # type: ignore[arg-type]
    with pytest.raises(InvalidType, match=r"distributed\.Client"):
        migrate_workers("tcp://127.0.0.1:8786", 0, 0)  # type: ignore[arg-type]


def test_workers_that_are_not_there(client: Client) -> None:
    address, pid = next(iter(pids(client).items()))
    report = migrate_workers(client, 0, 0, workers=["tcp://192.0.2.1:5", address])
    assert [row.pid for row in report.ranks] == [pid]
    (row,) = [row for row in report.hosts if row.outcome == "failed"]
    assert row.finding.startswith("the scheduler has no worker tcp://192.0.2.1:5; it has tcp://")
    with pytest.raises(InvalidArgument, match="no worker to migrate; the scheduler has 3"):
        migrate_workers(client, 0, 0, workers=[])
    with pytest.raises(InvalidType, match=r"give what Client.run\(\) returned"):
        gathered(None)  # type: ignore[arg-type]


# Workers cannot import the tests.
pytest.importorskip("cloudpickle").register_pickle_by_value(sys.modules[__name__])


async def migrate_or_die(dask_worker: Worker) -> Any:
    if dask_worker.name == 1:
        os._exit(3)
    return await migrate_worker(0, 0, dask_worker=dask_worker)


def test_a_worker_that_is_lost_hides_no_other(client: Client) -> None:
    doomed = client.run(lambda dask_worker: dask_worker.name)
    results = client.run(migrate_or_die, on_error="return")
    report = gathered(results)
    assert [row.rank for row in report.ranks] == [0, 2]
    assert report.outcome == "failed"
    (lost,) = [row for row in report.hosts if row.outcome == "failed"]
    assert doomed[lost.host] == 1
    assert lost.error == "CommClosedError"


def test_workers_that_are_one_process_are_dealt_with_once() -> None:
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(pids(client)) == 3
        report = migrate_workers(client, 0, 0)
    assert [row.pid for row in report.ranks] == [os.getpid()]


@requires.root
def test_workers_of_two_machines_are_not_one_process(tmp_path: Path) -> None:
    """All of both may be the same otherwise: names, such as localhost, and numbers."""
    told = "from pymigrate.launchers import dask; print(dask._identity()[:-1])"
    python = [sys.executable, "-I", "-c", told]
    other = tmp_path / "boot_id"
    other.write_text("c0ffee00-0000-4000-8000-000000000000\n")
    mount = f'mount --bind {other} /proc/sys/kernel/random/boot_id && exec "$@"'
    elsewhere = ["unshare", "--mount", "sh", "-c", mount, "sh", *python]
    here, again, there = (subprocess.check_output(it) for it in (python, python, elsewhere))
    assert here == again != there


def test_an_asynchronous_client_is_told_what_to_await() -> None:
    async def call() -> Any:
        async with (
            distributed.LocalCluster(
                n_workers=1, processes=False, dashboard_address=":0", asynchronous=True
            ) as cluster,
            distributed.Client(cluster, asynchronous=True) as client,
        ):
            with pytest.raises(InvalidArgument, match="await client"):
                migrate_workers(client, 0, 0)
            return gathered(await client.run(migrate_worker, 0, 0, on_error="return"))

    assert asyncio.run(call()).complete


def test_a_closed_client(client: Client) -> None:
    assert client.cluster
    with distributed.Client(client.cluster) as closed:
        pass
    with pytest.raises(InvalidArgument, match="the client is closed"):
        migrate_workers(closed, 0, 0)


def test_the_module_needs_no_dask() -> None:
    """It is Dask that imports it on workers."""
    program = "import sys, pymigrate.launchers.dask; sys.exit('distributed' in sys.modules)"
    # Isolated, as else it would look into the folder that it runs in first.
    assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0
