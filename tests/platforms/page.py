"""docs/platforms.md, made of the records and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platforms.record import FOLDER, Finding, Record, Row, load

PAGE = FOLDER.parent / "platforms.md"

INTRODUCTION = """\
# Platforms

What was shown, where, and how. No line here was written by hand: each is what a command of this
project has seen, and that command makes it anew.

*Real moves*: pages moved from node to node on a kernel that has several. *Real calls*: a kernel
with one node answered. *Unit tests*: those of the package passed where no kernel of that machine
ran. *Imported*: the wheel was installed and the package imported. *Traced dispatch*: the call was
seen on its way to a kernel, by its number and arguments. *Headers*: its number was compared with
the kernel's own table.
"""


@dataclass(frozen=True)
class Section:
    """What one command has to tell.

    Attributes:
        record: The name of its record.
        title: The heading.
        text: What is said before the table.
    """

    record: str
    title: str
    text: str


WHEELS = """\
By `make wheels`, which cross-builds them, each twice to the same bytes; auditwheel names them for
the oldest C library that has all they ask for. Only the hosted workflow has wheels for musl and for
free-threaded CPython, and builds in the containers of manylinux. It has none for loongarch64: there
the sdist is built."""

PYTHONS = """\
By `make test-pythons`: the one wheel for CPython, built from source where that is not for it. 3.14
and later are those of Debian's sid where the machine had none. Debian has no free-threaded ones:
these the hosted workflow tests. PyPy ran the unit tests and only two files of tests/host."""

ARCHITECTURES = """\
By `make test-arch`. On riscv64 the basic tests ran: of each call, and of each look at memory. All
other Pythons ran those of managed migrations too. Where there is none, one program moved its
pages."""

DISPATCH = """\
By `make test-dispatch`. A toolchain is a compiler with a C library."""

SECTIONS = (
    Section("arch", "Architectures", ARCHITECTURES),
    Section("kernels", "Kernels", "By `make test-kernels`."),
    Section("wheels", "Wheels", WHEELS),
    Section("pythons", "Pythons", PYTHONS),
    Section("dispatch", "Numbers of system calls", DISPATCH),
)
"""In the order of the page. A command without a record yet is left out."""


def render(folder: Path = FOLDER) -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for section in SECTIONS:
        record = load(section.record, folder)
        if record.rows or record.findings:
            parts.append(f"## {section.title}\n\n{section.text}\n")
            parts += tables(record)
    return "\n".join(parts)


def write(folder: Path = FOLDER, page: Path = PAGE) -> None:
    """Make the page anew."""
    page.write_text(render(folder), encoding="utf-8")


def tables(record: Record) -> list[str]:
    """Return the tables of a record."""
    found = [platforms(record.rows)] if record.rows else []
    return found + ([kernels(record.findings)] if record.findings else [])


def platforms(rows: Mapping[str, Row], results: Mapping[str, str] | None = None) -> str:
    """Return the table of platforms.

    Args:
        rows: What was shown, by the command's own names.
        results: Of a run, what came of each of its entries, also where nothing was shown.
    """
    names = "ABI", "Bits", "Order", "Page", "Kernel", "Python", "Shown by", "Result", "Date"
    told = {name: row.result for name, row in rows.items()} if results is None else results
    return _table([names, *(_cells(name, rows.get(name), said) for name, said in told.items())])


def kernels(findings: Sequence[Finding], results: Mapping[str, str] | None = None) -> str:
    """Return the table of features, with a column for each kernel.

    Args:
        findings: What was found.
        results: Of a run, what came of the tests on each kernel, also where nothing was found.
    """
    columns = list(results or dict.fromkeys(finding.kernel for finding in findings))
    cells: dict[str, dict[str, str]] = {}
    for finding in findings:
        said = f"{finding.verdict}: {finding.detail}" if finding.detail else finding.verdict
        cells.setdefault(finding.feature, {})[finding.kernel] = said
    dates = {finding.kernel: finding.date for finding in findings}
    body = [(name, *(of.get(kernel, "") for kernel in columns)) for name, of in cells.items()]
    releases = {finding.kernel: finding.release for finding in findings}
    last: list[tuple[str, Mapping[str, str]]] = [("Release", releases), ("Date", dates)]
    last += [("Tests", results)] if results else []
    rows = [(name, *(of.get(kernel, "") for kernel in columns)) for name, of in last]
    return _table([("Feature", *columns), *body, *rows])


def _cells(name: str, row: Row | None, result: str) -> tuple[str, ...]:
    if not row:
        return (name, *[""] * 6, result, "")
    page = f"{row.page // 1024} KiB" if row.page else ""
    told = row.kernel or "", row.python or "", row.shown, result, row.date
    return (row.abi, str(row.bits), row.byteorder, page, *told)


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows)]
    head, *body = ([cell.ljust(width) for cell, width in zip(row, widths)] for row in rows)
    lines = [head, ["-" * width for width in widths], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
