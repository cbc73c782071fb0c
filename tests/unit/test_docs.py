"""The documentation against the code: names, reasons, options and links lead somewhere."""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

import pymigrate
from pymigrate import errors
from pymigrate.cli.command import parser
from pymigrate.operations.reasons import EVICTION, MIGRATION

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="docs/ is not here, as beside a wheel")

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    return [block[2] for text in texts for block in _BLOCK.finditer(text) if block[1] == language]


def prose(page: Path) -> str:
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What a heading is linked by: lower case, hyphens for spaces, other signs left out."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def subcommands() -> dict[str, argparse.ArgumentParser]:
    actions = parser()._actions
    (found,) = (a for a in actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


@pytest.mark.parametrize("name", pymigrate.__all__)
def test_public_names_are_in_the_reference(name: str) -> None:
    assert re.search(rf"^#### `{name}\b|^\| `{name}` \|", read("reference.md"), re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in dir(errors) if name in pymigrate.__all__])
def test_reasons_of_errors_are_in_the_reference(name: str) -> None:
    told = (getattr(errors, name).__doc__ or "").partition("\n    Reason")[2]
    reasons = re.findall(r'``"([\w-]+)"``', told)
    (row,) = re.findall(rf"^\| `{name}` \|.*", read("reference.md"), re.MULTILINE)
    assert [reason for reason in reasons if f"`{reason}`" not in row] == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [("guide.md", reason) for reason in MIGRATION]
    + [("eviction.md", reason) for reason in EVICTION],
)
def test_reasons_are_explained(page: str, reason: str) -> None:
    assert f"\n### `{reason}`\n" in read(page)


@pytest.mark.parametrize("name", subcommands())
def test_options_are_in_the_reference(name: str) -> None:
    reference = read("reference.md")
    assert f"\n### pymigrate {name}\n" in reference
    section = reference.partition(f"\n### pymigrate {name}\n")[2].partition("\n### ")[0]
    general = reference.partition("\n## The command\n")[2].partition("\n### ")[0]
    for action in subcommands()[name]._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                assert re.search(rf"{option}\b", section + general), option


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code[:20])
def test_python_compiles(code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize("text", blocks("json"), ids=lambda text: text[:20])
def test_json_is_json(text: str) -> None:
    json.loads(text)


def test_modules_are_in_their_rooms_of_the_architecture() -> None:
    table = read("architecture.md").partition("\n## The rooms\n")[2].partition("\nBelow the")[0]
    told: dict[str, set[str]] = {}
    room = ""
    for first, modules in re.findall(r"^\| (?:`(\w+)/`)? ?\| (.*?) \|", table, re.MULTILINE):
        room = first or room
        told.setdefault(room, set()).update(re.findall(r"`(\w+)`", modules))
    assert told.pop("cli") == set()  # all of them, as subcommands
    package = Path(pymigrate.__file__).parent
    for room, names in told.items():
        files = (package / room.replace(package.name, "")).glob("*.py")
        assert names == {file.stem for file in files} - {"__init__", "__main__"}


def paths() -> set[str]:
    """Files of the kernel that the code names, of a process as /proc/PID/NAME."""
    found = set()
    for file in Path(pymigrate.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                text = str(node.value)
            elif isinstance(node, ast.JoinedStr):
                values = (v.value if isinstance(v, ast.Constant) else "PID" for v in node.values)
                text = "".join(map(str, values))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith(
                "memory_file"
            ):
                text = f"/proc/PID/{getattr(node.args[1], 'value', '')}"
            else:
                continue
            found |= set(re.findall(r"^(?:PID)?(/(?:proc|sys)/[\w/]+)$", text))
    return {path.replace("/self/", "/PID/").replace("rootPID", "root") for path in found}


def test_what_is_read_is_in_the_reference() -> None:
    told = read("reference.md").partition("\nWhat is read: ")[2].partition("\n\n")[0]
    names = set(re.findall(r"`([^`]+)`", told))
    assert len(paths()) > 30
    for path in sorted(paths()):
        _, where, first, *rest = path.split("/")
        if (where, first) == ("proc", "PID"):
            assert {*rest[:1]} <= {*names, "", "PID"}, path
        else:
            assert any(path.startswith(name) for name in names if len(name) > len("/proc")), path
