"""What is installed is the package and nothing else, and it is what the tests have tested."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import pymigrate
from pymigrate import _native

CHECKOUT = Path(__file__).resolve().parents[2]
DISTRIBUTION = importlib.metadata.distribution("pymigrate-numa")
FILES = {path.as_posix() for path in DISTRIBUTION.files or ()}


def test_the_installed_package_is_under_test() -> None:
    assert pymigrate.__file__
    installed = Path(pymigrate.__file__)
    assert installed.resolve().parent != CHECKOUT / "pymigrate"
    assert installed == DISTRIBUTION.locate_file("pymigrate/__init__.py")


def test_version() -> None:
    assert pymigrate.__version__ == DISTRIBUTION.version
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", pymigrate.__version__)
    with pytest.raises(AttributeError, match="__versions__"):
        pymigrate.__versions__  # noqa: B018


def test_files_are_those_of_the_package() -> None:
    strangers = {
        name
        for name in FILES
        if not re.match(r"pymigrate/|pymigrate_numa-[^/]*\.dist-info/|.*\bbin/pymigrate$", name)
    }
    assert strangers == set()


def test_files_are_for_running() -> None:
    suffixes = {Path(name).suffix for name in FILES if name.startswith("pymigrate/")}
    assert suffixes <= {".py", ".pyi", ".pyc", ".so", ".typed"}
    assert not [name for name in FILES if re.search(r"ffi_build|setup\.py|test|csrc", name)]


def test_types_come_along() -> None:
    assert {"pymigrate/py.typed", "pymigrate/_shim.pyi"} <= FILES


def test_the_shim_keeps_to_the_stable_abi() -> None:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("free-threaded Python has no stable ABI; the others test it")
    assert "pymigrate/_shim.abi3.so" in FILES
    assert _native.lib.PM_NODES_MAX == 32768


def test_the_global_lock_stays_as_it_is() -> None:
    # A free-threaded Python takes the lock back, with a warning, for a module that says nothing.
    program = "import sys, pymigrate._shim; print(getattr(sys, '_is_gil_enabled', lambda: True)())"
    command = [sys.executable, "-I", "-W", "error", "-c", program]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip() == str(not sysconfig.get_config_var("Py_GIL_DISABLED"))


def test_needs_cffi_alone() -> None:
    needed = [line for line in DISTRIBUTION.requires or () if "extra ==" not in line]
    assert [re.split(r"[<>=!~\s]", line)[0] for line in needed] == ["cffi"]
