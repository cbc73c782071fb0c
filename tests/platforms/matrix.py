"""One run of a matrix command: what it sees is kept, and at the end told as of this run alone."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from typing import Callable

from lab import LabError
from wheels.cross import Failed

from platforms import page, record
from platforms.record import Finding, Row


@dataclass(frozen=True)
class Seen:
    """What came of one entry.

    Attributes:
        result: In words.
        good: Whether it is what had to come.
        row: What was shown; None where nothing was, or only findings.
        findings: What was found of a kernel.
    """

    result: str
    good: bool
    row: Row | None = None
    findings: tuple[Finding, ...] = ()


class Matrix:
    """One run.

    Args:
        name: Of the command's record.
        order: All entries that the command has.
        quick: Whether what takes long is left out. Then rows are not recorded; findings are, as
            those of a kernel are whole all the same.
        features: Whether its entries are kernels, of which it finds what they make of features.
    """

    def __init__(
        self, name: str, order: Collection[str], *, quick: bool, features: bool = False
    ) -> None:
        self._name = name
        self._order = order
        self._quick = quick
        self._features = features
        self._rows: dict[str, Row] = {}
        self._findings: list[Finding] = []
        self._results: dict[str, str] = {}
        self._good = True

    def show(self, name: str, how: Callable[[], Seen]) -> None:
        """Have an entry shown. What it lacks, or what went wrong, is what came of it."""
        try:
            seen = how()
        except (Failed, LabError, subprocess.SubprocessError) as error:
            seen = Seen(str(error), good=False)
        if not seen.good:
            self._good = False
            print(f"{name}: FAILED, {seen.result}", flush=True)
        self._results[name] = self._told(seen)
        self._findings += seen.findings
        if seen.row:
            self._rows[name] = seen.row
        self._keep(name, seen)

    def end(self) -> int:
        """Print the table of this run, and return an exit status: whether anything failed."""
        if self._features:
            print(page.kernels(self._findings, self._results))
        else:
            print(page.platforms(self._rows, self._results))
        return 0 if self._good else 1

    def _told(self, seen: Seen) -> str:
        told = seen.result if seen.good else f"FAILED: {textwrap.shorten(seen.result, 120)}"
        if not self._quick:
            return told
        return f"{told}; the quick part" + ("" if self._features else ", not recorded")

    def _keep(self, name: str, seen: Seen) -> None:
        """Record it at once: the unit tests of a next entry compare the page with the records."""
        if seen.row and not self._quick:
            record.save_rows(self._name, {name: seen.row}, self._order)
            page.write()
        if seen.findings:
            record.save_findings(self._name, seen.findings, self._order)
            page.write()
