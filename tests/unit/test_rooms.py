"""Imports of the package point down only: from one room to itself and to those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pymigrate

PACKAGE = Path(pymigrate.__file__).parent

#: From the ground up; the modules of the package itself are the ground.
ROOMS = ("", "kernel", "operations", "jobs", "launchers", "cli")

#: These open the doors from outside.
DOORS = {"__init__.py", "__main__.py"}


def room_of(module: str) -> str:
    """The room of a module of the package, by its dotted name."""
    first, _, rest = module.partition(".")
    return first if rest or (PACKAGE / first / "__init__.py").exists() else ""


def imported(source: Path) -> Iterator[str]:
    """The modules of the package that a file names in its imports, wherever they stand."""
    for statement in ast.walk(ast.parse(source.read_text())):
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            continue
        package, _, module = statement.module.partition(".")
        if package == "pymigrate":
            yield from [module] if module else (alias.name for alias in statement.names)


def test_every_folder_is_a_room() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(ROOMS[1:])


def test_imports_point_down() -> None:
    upwards = []
    for source in sorted(PACKAGE.rglob("*.py")):
        path = source.relative_to(PACKAGE)
        if str(path) in DOORS:
            continue
        here = ROOMS.index(path.parent.name if path.parent.name else "")
        upwards += [
            f"{path} imports {module}"
            for module in imported(source)
            if ROOMS.index(room_of(module)) > here
        ]
    assert not upwards
