"""Dask workers whose memory really moves."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from support import requires

from pymigrate import residency, topology
from pymigrate.launchers.dask import migrate_workers

distributed = pytest.importorskip(
    "distributed", reason="distributed is missing: pip install pymigrate-numa[dask]"
)
# Workers cannot import the tests.
pytest.importorskip("cloudpickle").register_pickle_by_value(sys.modules[__name__])
if TYPE_CHECKING:
    from distributed import Worker

pytestmark = [
    requires.root,
    pytest.mark.numa,
    pytest.mark.usefixtures("calm"),
    pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning"),
]

PAGES = 2048


def load(cpus: frozenset[int], dask_worker: Worker) -> int:
    """Has the worker touch memory while it runs on some CPUs."""
    os.sched_setaffinity(0, cpus)
    dask_worker.loaded = b"x" * (PAGES * 4096)  # type: ignore[attr-defined]
    return os.getpid()


def intact(dask_worker: Worker) -> bool:
    """Whether it is as it was."""
    return dask_worker.loaded.count(b"x") == PAGES * 4096  # type: ignore[attr-defined,no-any-return]


def test_the_memory_of_all_workers_is_moved() -> None:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(load, topology()[0].cpus).values()
        assert all(residency(pid).pages(0, "anonymous") >= PAGES for pid in pids)
        report = migrate_workers(client, 0, 2)
        assert all(residency(pid).pages(2, "anonymous") >= PAGES for pid in pids)
        assert all(client.run(intact).values())
    assert report.total.pages.moved >= 2 * PAGES
    assert report.total.pages.closes()
    assert sorted(row.pid for row in report.ranks) == sorted(pids)
