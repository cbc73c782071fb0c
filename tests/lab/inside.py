"""pytest inside the machine: runs the tests it was sent and reports as it goes.

Each message is one line of JSON: `start` and `finish` of a test by its node
id, and `report` as pytest serialises it.
"""

from __future__ import annotations

import json
from typing import IO, Any

import pytest

PORT = "reports"
BOOTSTRAP = """\
import json, sys
job = json.load(sys.stdin)
sys.path[:0] = job["path"]
from lab.inside import main
sys.exit(main(job))
"""
"""A program that takes the job from standard input and the module path from the job."""

# The host does what these do, with the reports that it gets.
LEFT_TO_HOST = ("cacheprovider", "debugging", "pastebin")


def main(job: dict[str, Any]) -> int:
    """Run the tests of a job.

    Args:
        job: `options` as pytest parsed them on the host, and the tests' node ids in `tests`.

    Returns:
        pytest's exit status.
    """
    arguments = [f"-pno:{plugin}" for plugin in LEFT_TO_HOST]
    config = pytest.Config.fromdictargs(job["options"], [*arguments, *job["tests"]])
    with open(f"/dev/virtio-ports/{PORT}", "w", encoding="utf-8") as port:
        config.pluginmanager.register(_Reporter(config, port))
        return int(config.hook.pytest_cmdline_main(config=config))


class _Reporter:
    """Plugin that sends what happens to the host."""

    def __init__(self, config: pytest.Config, port: IO[str]) -> None:
        self._config = config
        self._port = port

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._send(start=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        self._send(report=hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._send(finish=nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            print(report.longreprtext)

    def pytest_internalerror(self, excrepr: object) -> None:
        print(excrepr)

    def _send(self, **message: object) -> None:
        # Of what is in a report only user properties may be of any type.
        self._port.write(json.dumps(message, default=repr) + "\n")
        self._port.flush()
