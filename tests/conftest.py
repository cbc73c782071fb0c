"""Tests marked `numa` run on a machine with several nodes: here, or in an emulated one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

pytest_plugins = ["lab.pytest_plugin"]

MARK = "PYMIGRATE_HELPER"  # of pymigrate.launchers.marks, which some tests run without
STOPS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture(scope="session", autouse=True)
def heard() -> Iterator[None]:
    """Whoever runs the tests may ignore signals, as shells do for jobs in the background.

    What they start would ignore them as well: that is inherited, and a handler is not, even one
    that does nothing.
    """
    ignored = [number for number in STOPS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda number, frame: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(autouse=True)
def unmarked() -> Iterator[None]:
    """A command that runs in the tests' own process marks it, and all that is started later."""
    yield
    os.environ.pop(MARK, None)
