"""``import pymigrate`` is cheap, as job launchers do it once for each rank."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
before = set(sys.modules)
{statement}
json.dump(sorted(set(sys.modules) - before), sys.stdout)
"""


def imported_by(statement: str) -> set[str]:
    """Modules that a statement brings into a fresh interpreter."""
    program = PROGRAM.format(statement=statement)
    run = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )
    modules: list[str] = json.loads(run.stdout)
    return set(modules)


def test_imports_nothing_but_itself_and_the_backend_of_cffi() -> None:
    modules = imported_by("import pymigrate")
    strangers = {name for name in modules if name.partition(".")[0] != "pymigrate"}
    assert strangers - set(sys.builtin_module_names) <= {"__future__", "_cffi_backend"}


@pytest.mark.parametrize(
    "heavy", ["typing", "enum", "collections", "dataclasses", "argparse", "re", "ctypes", "cffi"]
)
def test_imports_nothing_heavy(heavy: str) -> None:
    statement = "import pymigrate; pymigrate.migrate(0, 0, 0); str(pymigrate.NodeMask('0-3'))"
    assert heavy not in imported_by(statement)


def test_the_version_is_looked_up_on_request() -> None:
    assert "importlib.metadata" in imported_by("import pymigrate; pymigrate.__version__")
