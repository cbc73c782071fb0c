"""Real calls name real nodes: without /sys, as in a chroot, the tests in here are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest


class Unmounted(pytest.Module):
    """A module that is not imported, as most ask for the nodes right then."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Nothing: what is missing is told instead."""
        pytest.skip("needs /sys: mount sysfs on it", allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Leaves the modules to pytest where the nodes are to be seen."""
    if Path("/sys/devices/system").exists():
        return None
    return Unmounted.from_parent(parent, path=module_path)
