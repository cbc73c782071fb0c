"""The hosted workflows make the same set of wheels, and have a gate for all else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wheels.targets import TARGETS

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(
    not WORKFLOWS.is_dir(), reason=".github/ is not here, as in an sdist: a clone has it"
)

# cibuildwheel has no containers for it; there is the sdist.
NOT_HOSTED = {"loongarch64"}

EVERY = {"cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp314t"}


def workflow(name: str = "wheels") -> str:
    return (WORKFLOWS / f"{name}.yml").read_text()


def hosted() -> list[str]:
    """The machines in the workflow's matrix."""
    listed = re.findall(r"^ +arch: \[(.*)\]$", workflow(), re.MULTILINE)
    return [name.strip() for names in listed for name in names.split(",")]


def chosen() -> dict[str, str]:
    """Where the matrix does not leave it to pyproject.toml what is built: CIBW_BUILD."""
    return dict(re.findall(r'^ +- arch: (\w+)\n +build: "(.*)"$', workflow(), re.MULTILINE))


def test_platforms_are_those_of_the_cross_builds() -> None:
    assert set(hosted()) == set(TARGETS) - NOT_HOSTED
    assert set(chosen()) < set(hosted())


def test_what_is_checked_here_is_the_version_that_builds_there() -> None:
    (there,) = re.findall(
        r"uses: pypa/cibuildwheel@[0-9a-f]{40} # v(\S+)$", workflow(), re.MULTILINE
    )
    (here,) = re.findall(r'"cibuildwheel==([^;]+);', (ROOT / "pyproject.toml").read_text())
    assert here == there


@pytest.mark.parametrize("machine", sorted(set(TARGETS) - NOT_HOSTED))
def test_what_is_built_and_tested(machine: str) -> None:
    pytest.importorskip("cibuildwheel", reason="cibuildwheel is missing: `make lint` runs this")
    command = (sys.executable, "-m", "cibuildwheel", "--platform", "linux")
    build = chosen().get(machine, "")
    listed = subprocess.run(
        [*command, "--print-build-identifiers", ROOT],
        env={**os.environ, "CIBW_ARCHS": machine, "CIBW_BUILD": build},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    expected = set(build.replace("-*", "").split()) or EVERY
    for libc in ("manylinux", "musllinux"):
        pythons = {each.partition("-")[0] for each in listed if each.endswith(f"{libc}_{machine}")}
        assert pythons == expected


def test_tests_are_found_where_the_sources_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pytest.importorskip("cibuildwheel.util.file", reason="`make lint` has cibuildwheel")
    options = pytest.importorskip("cibuildwheel.options")
    sdists = list((ROOT / "dist").glob("*.tar.gz"))
    if not sdists:
        pytest.skip("there is no sdist in dist/: `make build` makes one")
    workspace, room = tmp_path / "workspace", tmp_path / "room"
    workspace.mkdir()
    room.mkdir()
    shutil.copy(sdists[0], workspace)
    (unpack,) = re.findall(r"- run: (.*\btar .*)$", workflow(), re.MULTILINE)
    subprocess.run(["sh", "-ec", unpack], cwd=workspace, check=True)

    monkeypatch.chdir(workspace)
    arguments = options.CommandLineArguments.defaults()
    for package in re.findall(r"package-dir: (.*)$", workflow(), re.MULTILINE):
        arguments.package_dir = Path(package)
    # It reads its options in the package's folder, and takes what they name from the current one.
    there = options.compute_options("linux", arguments, env={}).build_options(None)
    file.copy_test_sources(there.test_sources, Path.cwd(), room)
    assert {path.name for path in room.iterdir()} == {"tests", "pyproject.toml"}


def test_the_gate_waits_for_every_other_job() -> None:
    all_jobs = workflow("ci").partition("\njobs:\n")[2]
    jobs = re.findall(r"^  ([\w-]+):$", all_jobs, re.MULTILINE)
    gate = all_jobs.partition("\n  gate:\n")[2]
    (needed,) = re.findall(r"^    needs: \[(.*)\]$", gate, re.MULTILINE)
    assert sorted([*needed.split(", "), "gate"]) == sorted(jobs)
