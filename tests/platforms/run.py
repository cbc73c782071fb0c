"""Runs of pytest for a matrix: what came out, and the properties that tests handed over."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]

PYTEST = Path(sys.executable).with_name("pytest")
"""Not `python -m pytest`, which would import the checkout's package."""

GREEN = 0
"""pytest's exit status where nothing failed."""

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Run:
    """What one run of pytest came to.

    Attributes:
        status: pytest's exit status.
        outcomes: Of each test, by its name.
        properties: Name and value of what tests handed over, in order.
    """

    status: int
    outcomes: Mapping[str, Outcome]
    properties: tuple[tuple[str, str], ...]

    @property
    def green(self) -> bool:
        """Whether something ran, and nothing failed."""
        return self.status == GREEN and "passed" in self.outcomes.values()

    def all(self, name: str) -> list[str]:
        """Return the values of a property."""
        return [value for key, value in self.properties if key == name]

    def __str__(self) -> str:
        counts = dict.fromkeys(("failed", "passed", "skipped"), 0)
        for outcome in self.outcomes.values():
            counts[outcome] += 1
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing"


def pytest(
    *arguments: str,
    program: Sequence[str | Path] = (PYTEST,),
    env: Mapping[str, str] | None = None,
) -> Run:
    """Run pytest on this checkout with the installed package; its words go to the terminal.

    Args:
        arguments: Of pytest.
        program: That of another Python; by default, this one's.
        env: Its environment.
    """
    with tempfile.TemporaryDirectory(prefix="pymigrate-matrix-") as folder:
        results = Path(folder, "results.xml")
        command = [*map(str, program), "-q", *arguments, f"--junitxml={results}"]
        status = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        if not results.exists():
            return Run(status, {}, ())
        return _read(status, results)


def _read(status: int, results: Path) -> Run:
    outcomes: dict[str, Outcome] = {}
    properties: list[tuple[str, str]] = []
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314  ours
        tags = {child.tag for child in case}
        outcome: Outcome = "failed" if tags & {"failure", "error"} else "passed"
        if "skipped" in tags:
            outcome = "skipped"
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = outcome
        if outcome == "passed":
            properties += [(p.attrib["name"], p.attrib["value"]) for p in case.iter("property")]
    return Run(status, outcomes, tuple(properties))
