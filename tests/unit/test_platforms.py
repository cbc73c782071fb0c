"""docs/platforms.md is what the records of the matrix commands make of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from arch.abis import ABIS, Toolchain
from arch.tools import require
from lab import Machine, Missing
from platforms import big_endian, dispatch, guests, kernels, page, pythons, record, site
from platforms.__main__ import main
from platforms.interpreters import Interpreter
from platforms.matrix import Matrix, Seen
from platforms.record import Finding, Row, Verdict
from platforms.run import Outcome, Run

OLD = "2005-12-01"


def row(result: str, date: str = OLD) -> Row:
    return Row("s390x", 64, "big", "unit tests", result, python="CPython 3.11.2", date=date)


def finding(feature: str, kernel: str, verdict: Verdict, detail: str = "") -> Finding:
    return Finding(feature, kernel, f"{kernel}-amd64", verdict, detail, OLD)


@pytest.mark.skipif(not page.PAGE.exists(), reason="docs/ is not here, as beside a wheel")
def test_the_page_is_made_of_the_records() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.render(), "run: python -m platforms"


def test_every_record_is_on_the_page() -> None:
    kept = {path.stem for path in record.FOLDER.glob("*.json")}
    assert kept <= {section.record for section in page.SECTIONS}


def test_a_run_of_some_leaves_the_others(tmp_path: Path) -> None:
    order = ["one", "two", "three"]
    record.save_rows(
        "arch", {"three": row("3"), "one": row("1"), "gone": row("0")}, order, tmp_path
    )
    record.save_rows("arch", {"two": row("2"), "one": row("new")}, order, tmp_path)
    kept = record.load("arch", tmp_path).rows
    assert [(name, kept[name].result) for name in kept] == [
        ("one", "new"),
        ("two", "2"),
        ("three", "3"),
    ]


def test_a_kernel_is_replaced_as_a_whole_in_its_place(tmp_path: Path) -> None:
    order = ["5.10", "6.1"]

    def save(*findings: Finding) -> None:
        record.save_findings("kernels", findings, order, tmp_path)

    save(finding("pidfd", "6.1", "works"), finding("gone", "5.4", "works"))
    save(finding("pidfd", "5.10", "works"))
    save(finding("evict", "5.10", "refuses", "EINVAL"))
    assert page.kernels(record.load("kernels", tmp_path).findings) == (
        "| Feature | 5.10            | 6.1        |\n"
        "| ------- | --------------- | ---------- |\n"
        "| evict   | refuses: EINVAL |            |\n"
        "| pidfd   |                 | works      |\n"
        "| Release | 5.10-amd64      | 6.1-amd64  |\n"
        "| Date    | 2005-12-01      | 2005-12-01 |\n"
    )


def test_a_page_of_one_record(tmp_path: Path) -> None:
    record.save_rows("arch", {"s390x": row("9 passed")}, ["s390x"], tmp_path)
    text = page.render(tmp_path)
    assert text.startswith(page.INTRODUCTION + "\n## Architectures\n")
    assert text.endswith("| unit tests | 9 passed | 2005-12-01 |\n")
    assert text.count("##") == 1


class Fake:
    """A machine on which tests came to something."""

    def __init__(self, result: str, *, good: bool) -> None:
        self.result = result
        self.good = good

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Say what there is to say."""
        assert quick
        facts = {"bits": 32, "byteorder": "little", "page": 4096, "kernel": "6.12"}
        return facts, self.result, self.good


def cells(said: str) -> list[list[str]]:
    """The table at the end of what was said, without its head."""
    lines = [line for line in said.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("result", "good", "said"),
    [
        ("35 passed", True, "35 passed"),
        ("1 failed, 34 passed", False, "FAILED: 1 failed, 34 passed"),
    ],
)
def test_a_run_tells_of_itself_alone_and_what_failed(
    result: str,
    good: bool,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(guests.MACHINES, "i386", Fake(result, good=good))
    assert guests.main(["i386"], quick=True) == (not good)
    (told,) = cells(capsys.readouterr().out)
    assert told[:2] == ["i386", "32"]
    assert told[7] == f"{said}; the quick part, not recorded"


def test_what_a_machine_lacks_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(site, "find", lambda _: Path())
    monkeypatch.setattr(guests, "pytest", lambda *_: Run(1, {"a test": "failed"}, ()))
    assert guests.main(["aarch64"], quick=True) == 1
    said = capsys.readouterr().out
    lacks = "qemu-system-aarch64 is not installed: install the package qemu-system-arm"
    assert f"\naarch64: FAILED, {lacks}\n" in said
    (told,) = cells(said)
    assert told == ["aarch64", *[""] * 6, f"FAILED: {lacks}; the quick part, not recorded", ""]


def test_a_kernel_on_which_every_test_failed_is_a_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Machine, "parts", lambda _: None)
    monkeypatch.setattr(kernels, "pytest", lambda *_: Run(1, {"a test": "failed"}, ()))
    assert kernels.main(["5.10"], quick=False) == 1
    said = capsys.readouterr().out
    assert said.endswith(
        "| Feature | 5.10             |\n"
        "| ------- | ---------------- |\n"
        "| Release |                  |\n"
        "| Date    |                  |\n"
        "| Tests   | FAILED: 1 failed |\n\n"
    )


@pytest.mark.parametrize("quick", [False, True])
def test_a_quick_run_records_no_rows(monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    kept: list[Mapping[str, Row]] = []
    monkeypatch.setattr(record, "save_rows", lambda _name, rows, _order: kept.append(rows))
    monkeypatch.setattr(page, "write", lambda: None)
    shown = row("9 passed")
    matrix = Matrix("arch", ["s390x", "m68k"], quick=quick)
    matrix.show("s390x", lambda: Seen(shown.result, True, shown))
    matrix.show("m68k", lambda: Seen("it said nothing", False))
    assert kept == ([] if quick else [{"s390x": shown}])


def test_a_compiler_that_is_missing_is_named_by_its_package() -> None:
    with pytest.raises(Missing, match="install gcc-none libc6-dev-none-cross"):
        require(Toolchain(("none-gcc",), ("gcc-none", "libc6-dev-none-cross")))


def test_what_builds_a_kernel_and_is_missing_is_named_by_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(big_endian, "ARCHIVE", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Missing, match=r"^powerpc64-linux-gnu-gcc is .*: .*gcc-powerpc64-linux-gnu"):
        big_endian.kernel()


TRACES = "tests.arch.test_dispatch::test_trace_shows_the_calls[m68k-"
OF_M68K = (
    "tests.arch.test_selector::test_selects_the_header_and_has_every_number[m68k]",
    "tests.arch.test_kernel_tables::test_numbers_are_the_kernels[m68k]",
    "tests.arch.test_compile::test_compiles_without_a_warning[m68k]",
    "tests.arch.test_compile::test_selects_its_header[m68k]",
    "tests.arch.test_compile::test_toolchain_confirms_the_table_and_the_constants[m68k]",
    "tests.arch.test_compile::test_refuses_wrong_numbers[m68k]",
    f"{TRACES}toolchain]",
    f"{TRACES}ours]",
)


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        ({}, "passed"),
        ({"ours": "failed"}, "failed"),
        ({"ours": "failed", "toolchain": "skipped"}, "failed"),
        ({"toolchain": "skipped"}, "skipped"),
    ],
)
def test_an_abi_is_shown_where_all_of_its_tests_passed(
    traces: dict[str, Outcome], expected: Outcome
) -> None:
    outcomes: dict[str, Outcome] = dict.fromkeys(OF_M68K, "passed")
    outcomes.update({f"{TRACES}{source}]": came for source, came in traces.items()})
    (m68k,) = (abi for abi in ABIS if abi.name == "m68k")
    assert dispatch.outcome(m68k, Run(0, outcomes, ())) == expected


@pytest.mark.parametrize("left_out", OF_M68K)
def test_an_abi_is_not_shown_where_one_of_its_tests_did_not_run(left_out: str) -> None:
    outcomes: dict[str, Outcome] = {name: "passed" for name in OF_M68K if name != left_out}
    (m68k,) = (abi for abi in ABIS if abi.name == "m68k")
    assert dispatch.outcome(m68k, Run(0, outcomes, ())) == "skipped"


@pytest.mark.parametrize(("names", "status"), [([], 0), (["m68k"], 1)])
def test_an_abi_without_its_tools_fails_where_it_was_named(
    names: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dispatch, "pytest", lambda *_: Run(0, {"another": "passed"}, ()))
    assert dispatch.main(names, quick=True) == status
    (told,) = (each for each in cells(capsys.readouterr().out) if each[0] == "m68k")
    said = "tests skipped, what was known stays; the quick part, not recorded"
    assert told[7] == ("FAILED: " * status) + said


HERE = {
    f"cpython3.{minor}": Interpreter(
        "CPython", f"3.{minor}.0", (3, minor), False, f"python3.{minor}", 64, "little"
    )
    for minor in (15, 14)
}


def test_all_pythons_are_those_that_are_here() -> None:
    assert list(pythons.choose((), HERE)) == ["cpython3.14", "cpython3.15"]


def test_a_python_that_is_named_has_to_be_here() -> None:
    assert list(pythons.choose(["cpython3.15"], HERE)) == ["cpython3.15"]
    with pytest.raises(Missing, match=r"cpython3\.14t is neither on PATH nor pyenv's"):
        pythons.choose(["cpython3.15", "cpython3.14t"], HERE)


def test_a_wrong_name_is_answered_with_the_right_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["platforms", "kernels", "2.6"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert said.endswith("error: kernels has no 2.6: choose of 5.10, 6.1, 6.12, sid\n")
