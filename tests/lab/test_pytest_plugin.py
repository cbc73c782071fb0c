"""What happens to tests in a machine is reported as if it had happened here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import lab

FILES = {
    "conftest.py": """\
pytest_plugins = ["lab.pytest_plugin"]
""",
    "pytest.ini": f"""\
[pytest]
pythonpath = {Path(lab.__file__).parents[1]}
junit_logging = system-out
""",
    "test_sample.py": """\
import os
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("out of order")

@pytest.mark.numa
class TestInside:
    def test_passes(self):
        print("on", os.uname().nodename)

    def test_fails(self):
        print("on", os.uname().nodename)
        assert [1, 2] == [1, 3]

    def test_skips(self):
        pytest.skip("not today")

    def test_errs(self, broken):
        pass

    @pytest.mark.xfail(reason="known")
    def test_fails_as_known(self):
        assert False

    @pytest.mark.parametrize("value", ["a::b", "[ü] /"])
    def test_takes(self, value):
        assert value

    def test_crashes(self):
        with open("/proc/sysrq-trigger", "w") as trigger:
            trigger.write("c")

    def test_comes_late(self):
        pass

def test_outside():
    print("on", os.uname().nodename)
""",
}

HERE = f"on {os.uname().nodename}"
THERE = "on lab"

EXPECTED = {
    "test_outside": ("system-out", HERE),
    "test_passes": ("system-out", THERE),
    "test_fails": ("failure", "At index 1 diff: 2 != 3"),
    "test_skips": ("skipped", "not today"),
    "test_errs": ("error", "RuntimeError: out of order"),
    "test_fails_as_known": ("skipped", "known"),
    "test_takes[a::b]": (None, ""),
    "test_takes[[\\xfc] /]": (None, ""),
    "test_crashes": ("failure", "Kernel panic - not syncing: sysrq triggered crash"),
    "test_comes_late": ("failure", "not run: the machine was lost in"),
}
"""For each test, in order, the element of its result and what that has to say."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ElementTree.Element]:
    """Each test's element of the XML that a run of them all gives."""
    folder = tmp_path_factory.mktemp("sample")
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    options = ["--junitxml=results.xml", "--strict-config", "-o", "cache_dir=elsewhere"]
    run = [sys.executable, "-m", "pytest", *options]
    assert subprocess.run(run, cwd=folder, check=False).returncode == pytest.ExitCode.TESTS_FAILED
    cases = ElementTree.parse(folder / "results.xml").iter("testcase")  # noqa: S314 - ours
    return {case.attrib["name"]: case for case in cases}


def test_none_is_missing(results: dict[str, ElementTree.Element]) -> None:
    assert list(results) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_outcome(results: dict[str, ElementTree.Element], name: str) -> None:
    tag, message = EXPECTED[name]
    elements = {element.tag: element for element in results[name]}
    assert set(elements) - {"system-out"} == ({tag} - {None, "system-out"})
    if tag:
        element = elements[tag]
        assert message in f"{element.get('message')} {element.text}"


def test_output_comes_along(results: dict[str, ElementTree.Element]) -> None:
    assert THERE in (results["test_fails"].findtext("system-out") or "")
