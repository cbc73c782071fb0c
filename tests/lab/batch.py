"""Tests under way in one machine, seen from the host's pytest."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lab import inside, root
from lab.errors import LabError
from lab.guest import Guest
from lab.machine import Machine

OUTPUT_TAIL = 4096
"""How much of pytest's own output is kept for the message about its early end, in bytes."""

ENVIRONMENT = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"}
"""That of pytest in a machine of another architecture."""

# What is left to the host, whatever the options say.
_OVERRIDDEN = {
    "basetemp": None,
    "maxfail": 0,
    "no_header": True,
    "no_summary": True,
    "stepwise": False,
    "usepdb": False,
    "xmlpath": None,
}


class Batch:
    """The tests that share a machine, which boots when the first of them is asked for.

    Args:
        machine: Where they run.
        tests: Their node ids.
        config: The host's pytest.
        patience: Seconds that the machine may take for the boot, and for each test.
        site: What a machine of another architecture imports from, the package under test first.
    """

    def __init__(
        self,
        machine: Machine,
        tests: Sequence[str],
        config: pytest.Config,
        patience: float,
        site: Sequence[str] = (),
    ) -> None:
        self._machine = machine
        self._tests = tests
        self._config = config
        self._patience = patience
        self._site = list(site)
        self._guest: Guest | None = None
        self._running = ""
        self._messages: deque[dict[str, Any]] = deque()
        self._line = b""
        self._output = b""
        self._failure = ""

    def __str__(self) -> str:
        return f"tests in an emulated machine ({self._machine}): {len(self._tests)}"

    def reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        """Yield the reports of one test as they come.

        A test that cannot be run, for whatever reason, yields a report of failure.
        """
        if self._failure:
            yield _failed(item, f"not run: {self._failure}")
            return
        try:
            for message in self._until_finished(item.nodeid):
                if "report" in message:
                    yield self._report(message["report"])
        except LabError as error:
            self.close()
            if self._running == item.nodeid:
                self._failure = f"the machine was lost in {item.nodeid}"
                yield _failed(item, str(error))
            else:
                self._failure = str(error)
                yield _failed(item, f"not run: {error}")

    def close(self) -> None:
        """Switch the machine off, if it is on."""
        if self._guest:
            self._guest.close()

    def _until_finished(self, nodeid: str) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + self._patience
        if not self._guest:
            self._guest = self._boot(deadline)
        while True:
            while not self._messages:
                self._listen(self._guest, deadline)
            message = self._messages.popleft()
            if message == {"finish": nodeid}:
                return
            self._running = message.get("start", self._running)
            yield message

    def _report(self, data: dict[str, Any]) -> pytest.TestReport:
        hook = self._config.hook
        report = hook.pytest_report_from_serializable(config=self._config, data=data)
        assert isinstance(report, pytest.TestReport)
        if isinstance(report.longrepr, list):  # where a test was skipped: JSON has no tuples
            path, line, reason = report.longrepr
            report.longrepr = (path, line, reason)
        return report

    def _boot(self, deadline: float) -> Guest:
        foreign = self._machine.userland is not None
        options = {**vars(self._config.option), **_OVERRIDDEN}
        options["rootdir"] = str(self._config.rootpath)
        # What failed last is remembered by the host, and the setting not known in there.
        settings = options.get("override_ini") or []
        options["override_ini"] = [s for s in settings if not s.startswith("cache_dir=")]
        options["inifilename"] = str(self._config.inipath) if self._config.inipath else None
        job = {
            "options": {name: value for name, value in options.items() if _is_json(value)},
            "path": self._site if foreign else sys.path,
            "tests": self._tests,
        }
        return self._machine.boot(
            [root.PYTHON if foreign else sys.executable, "-c", inside.BOOTSTRAP],
            cwd=self._config.rootpath,
            env=ENVIRONMENT if foreign else None,
            stdin=json.dumps(job).encode(),
            ports=[inside.PORT],
            deadline=deadline,
        )

    def _listen(self, guest: Guest, deadline: float) -> None:
        said = guest.read(deadline)
        if said is None:
            output = self._output.decode(errors="replace")
            raise LabError(f"pytest inside the machine ended with {guest.status}:\n{output}")
        port, data = said
        if port == inside.PORT:
            *lines, self._line = (self._line + data).split(b"\n")
            self._messages.extend(json.loads(line) for line in lines)
        elif self._config.getoption("capture") == "no":
            sys.stdout.write(data.decode(errors="replace"))
        else:
            self._output = (self._output + data)[-OUTPUT_TAIL:]


def _failed(item: pytest.Item, why: str) -> pytest.TestReport:
    return pytest.TestReport(
        item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", why, "call"
    )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
