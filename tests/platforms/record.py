"""Results of matrix commands, as they are kept: one JSON file for each command.

A run of some entries replaces these and leaves the others, each with the date it was seen at.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[2] / "docs" / "platforms"

Shown = Literal["real moves", "real calls", "unit tests", "imported", "traced dispatch", "headers"]
SHOWN: tuple[Shown, ...] = (
    "real moves",  # pages moved between nodes of a kernel that has several
    "real calls",  # a kernel answered, with one node
    "unit tests",  # the package's own, where no kernel of that machine ran
    "imported",  # the wheel was installed, and the package imported
    "traced dispatch",  # the call was seen on its way to a kernel, by number and arguments
    "headers",  # compared with the kernel's own table, where no program could be run
)
"""How something can be shown, the strongest first."""

Verdict = Literal["works", "falls back", "refuses"]


def today() -> str:
    """The date of a row, in UTC."""
    return datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()


@dataclass(frozen=True)
class Row:
    """One platform, and what was shown there. None: does not matter for what was shown.

    Attributes:
        abi: Architecture and ABI, by the name in tests/arch/abis.py where it is there.
        bits: Word size, 32 or 64.
        byteorder: Of its memory.
        shown: How.
        result: In words: `12 passed`, or what was refused and why.
        page: Page size in bytes.
        kernel: Which, or which emulator in its place.
        python: Implementation and version, or the compiler of a program in C.
        date: When, as in ISO 8601.
    """

    abi: str
    bits: int
    byteorder: str
    shown: Shown
    result: str
    page: int | None = None
    kernel: str | None = None
    python: str | None = None
    date: str = field(default_factory=today)


@dataclass(frozen=True)
class Finding:
    """What one kernel makes of one feature.

    Attributes:
        feature: What is asked for.
        kernel: Of whom, by the name that the lab has for it: the column of the table.
        release: Which it was, as it says itself.
        verdict: What came of it.
        detail: Which way it falls back, which error it refuses with.
        date: When, as in ISO 8601.
    """

    feature: str
    kernel: str
    release: str
    verdict: Verdict
    detail: str = ""
    date: str = field(default_factory=today)


@dataclass(frozen=True)
class Record:
    """What one command knows.

    Attributes:
        rows: Platforms, by the names that the command has for them, in its order.
        findings: Of kernels, in the command's order.
    """

    rows: Mapping[str, Row] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def load(name: str, folder: Path = FOLDER) -> Record:
    """Read what a command knows: nothing, if it never ran."""
    path = folder / f"{name}.json"
    if not path.exists():
        return Record()
    data = json.loads(path.read_text(encoding="utf-8"))
    return Record(
        {name: Row(**row) for name, row in data["rows"].items()},
        tuple(Finding(**finding) for finding in data["findings"]),
    )


def save_rows(
    name: str, rows: Mapping[str, Row], order: Collection[str], folder: Path = FOLDER
) -> None:
    """Keep platforms that a command has seen.

    Args:
        name: Of the record.
        rows: What is new, by the command's own names.
        order: All names that the command has: what else was kept is dropped.
        folder: Where records are kept.
    """
    kept = load(name, folder)
    known = {**kept.rows, **rows}
    _write(name, Record({n: known[n] for n in order if n in known}, kept.findings), folder)


def save_findings(
    name: str, findings: Iterable[Finding], order: Collection[str], folder: Path = FOLDER
) -> None:
    """Keep what was found of kernels: all that is known of each of these is replaced.

    Args:
        name: Of the record.
        findings: What is new.
        order: All kernels that the command has: what else was kept is dropped.
        folder: Where records are kept.
    """
    kept, new = load(name, folder), tuple(findings)
    seen = {finding.kernel for finding in new}
    known = (*(finding for finding in kept.findings if finding.kernel not in seen), *new)
    ordered = (each for kernel in order for each in known if each.kernel == kernel)
    _write(name, Record(kept.rows, tuple(ordered)), folder)


def _write(name: str, record: Record, folder: Path) -> None:
    data = {
        "rows": {name: asdict(row) for name, row in record.rows.items()},
        "findings": [asdict(finding) for finding in record.findings],
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
