"""pytest plugin: tests marked `numa` run on a machine with several memory nodes.

On a host that has enough of them they run like any other test. Elsewhere the
laboratory boots a machine once for all selected tests that want the same one,
and what happens inside is reported as if it had happened here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import lab
from lab.batch import Batch
from lab.machine import INSIDE_VARIABLE, Machine

ENOUGH_NODES = 4

_batch = pytest.StashKey[Batch]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the laboratory's options."""
    group = parser.getgroup("lab", "tests on a machine with several memory nodes")
    group.addoption(
        "--lab",
        choices=("auto", "always", "never"),
        default="auto",
        help="run numa tests in an emulated machine: where this host has too few nodes or a test "
        "asks for a special machine (auto, the default), always, or never",
    )
    group.addoption(
        "--lab-kernel", metavar="VERSION", help="kernel of the machine where a test names none"
    )
    group.addoption(
        "--lab-userland",
        metavar="ARCHITECTURE",
        help="run numa tests in a machine of another architecture, by Debian's name of it; "
        "needs --lab-site",
    )
    group.addoption(
        "--lab-site",
        metavar="FOLDER",
        help="below the rootdir: where that machine finds the package that is built for it",
    )
    group.addoption(
        "--lab-timeout",
        type=float,
        default=300,
        metavar="SECONDS",
        help="how long the machine may take for its start, and for each test (default: 300)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the plugin proper where it has anything to do."""
    config.addinivalue_line(
        "markers",
        "numa(**machine): needs several memory nodes; arguments are attributes of lab.Machine",
    )
    if INSIDE_VARIABLE not in os.environ:
        config.pluginmanager.register(_Lab(config))


class _Lab:
    """Plugin that sends tests into machines, and brings back their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._mode = config.getoption("lab")
        chosen = {"kernel": "lab_kernel", "userland": "lab_userland"}
        wishes = {name: config.getoption(option) for name, option in chosen.items()}
        self._wishes = {name: wish for name, wish in wishes.items() if wish}
        self._site = [config.getoption("lab_site"), str(Path(lab.__file__).parents[1])]
        if self._wishes.get("userland") and not self._site[0]:
            raise pytest.UsageError("--lab-userland needs --lab-site")
        self._patience = config.getoption("lab_timeout")
        self._batches: dict[Machine, Batch] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Put the tests of each machine together, behind those that need none."""
        if "userland" in self._wishes:
            _deselect(config, items)
        groups: dict[Machine | None, list[pytest.Item]] = {None: []}
        for item in items:
            groups.setdefault(self._machine(item), []).append(item)
        items[:] = [item for group in groups.values() for item in group]
        del groups[None]
        for machine, group in groups.items():
            assert machine is not None
            tests = [item.nodeid for item in group]
            batch = Batch(machine, tests, config, self._patience, self._site)
            self._batches[machine] = batch
            for item in group:
                item.stash[_batch] = batch

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what will run where."""
        return [str(batch) for batch in self._batches.values()]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Replay what happens to a test inside its machine."""
        batch = item.stash.get(_batch, None)
        if batch is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in batch.reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if nextitem is None or nextitem.stash.get(_batch, None) is not batch:
            batch.close()
        return True

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a test that this host cannot run, where nothing else is allowed to."""
        if item.get_closest_marker("numa") and _host_nodes() < ENOUGH_NODES:
            pytest.skip(f"needs {ENOUGH_NODES} memory nodes, and --lab={self._mode} forbids others")

    def pytest_unconfigure(self) -> None:
        """Leave no machine running."""
        for batch in self._batches.values():
            batch.close()

    def _machine(self, item: pytest.Item) -> Machine | None:
        """Return the machine that a test is to run in, or None for this host."""
        markers = list(item.iter_markers("numa"))
        if not markers or self._mode == "never":
            return None
        wishes: dict[str, Any] = dict(self._wishes)
        for marker in reversed(markers):  # from the farthest to the closest
            wishes.update(marker.kwargs)
        if self._mode == "auto" and not wishes and _host_nodes() >= ENOUGH_NODES:
            return None
        try:
            machine = Machine(**wishes)
        except TypeError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from None
        obstacle = machine.obstacle()
        if obstacle:
            item.add_marker(pytest.mark.skip(reason=obstacle))
        return None if obstacle else machine


def _deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests of one kernel, which are about that alone, on other architectures."""
    named = [i for i in items if any("kernel" in mark.kwargs for mark in i.iter_markers("numa"))]
    items[:] = [item for item in items if item not in named]
    config.hook.pytest_deselected(items=named)


def _host_nodes() -> int:
    files = Path("/sys/devices/system/node").glob("node[0-9]*/meminfo")
    return sum(bool(re.search(r"MemTotal: +[1-9]", file.read_text())) for file in files)
