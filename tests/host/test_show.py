"""``pymigrate show`` and ``pymigrate nodes``, as programs and people call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from support.mappings import PAGES, Map, anonymous
from support.processes import ended, idle_process, servant

from pymigrate.kernel.nodes import topology
from pymigrate.kernel.resident import residency
from pymigrate.nodemask import NodeMask
from pymigrate.units import PAGE_SIZE

COMMAND = str(Path(sysconfig.get_path("scripts")) / "pymigrate")
WITHOUT_RICH = """\
import sys
sys.modules["rich"] = None  # as if it were not installed
from pymigrate.cli import main
sys.exit(main(sys.argv[1:]))
"""

Run = subprocess.CompletedProcess[str]


def test_a_name_that_would_rule_the_terminal() -> None:
    def rename() -> None:
        Path("/proc/self/comm").write_text("\x1b]0;x\n\x07")

    with idle_process(rename) as pid:
        shown = subprocess.run(
            [COMMAND, "show", str(pid)], check=True, capture_output=True, text=True, cwd="/"
        )
    assert f"pid {pid} (\\x1b]0;x" in shown.stdout
    assert "\x1b" not in shown.stdout


def run(*arguments: object, command: tuple[str, ...] = (COMMAND,), **environment: str) -> Run:
    """The command, from its start to its end, in a pipe."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",  # out of reach of the sources
        env={**os.environ, **environment},
    )


def rows(text: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in text.splitlines() if line.strip()]


def test_show() -> None:
    pytest.importorskip("rich")
    with servant(anonymous) as child:
        child.ask(Map.touch)
        found = residency(child.pid)
        shown = run("show", child.pid)
    assert (shown.returncode, shown.stderr) == (0, "")
    title, header, _, *lines = rows(shown.stdout)
    assert title[:2] == ["pid", str(child.pid)]
    assert header == ["node", "anonymous", "file", "shared", "hugetlb", "total"]
    assert [line[0] for line in lines] == [*map(str, found.nodes), "all"]
    assert "\x1b" not in shown.stdout  # no colours in a pipe


def test_show_as_json() -> None:
    with servant(anonymous) as child, idle_process() as other:
        child.ask(Map.touch)
        shown = run("show", "--json", "--thp", child.pid, other)
        expected = residency(child.pid, thp=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    first, second = json.loads(shown.stdout)["processes"]
    assert first == {"pid": child.pid, "name": first["name"], **expected.to_dict()}
    assert second["pid"] == other
    assert second["total_pages"] > 0


def test_show_mappings() -> None:
    with servant(anonymous) as child:
        child.ask(Map.touch)
        address = child.ask(Map.where)
        shown = run("show", "--vmas", "--json", child.pid)
        (process,) = json.loads(shown.stdout)["processes"]
        (vma,) = (vma for vma in process["vmas"] if vma["start"] == address)
        assert sum(vma["pages"].values()) == PAGES
        assert vma["end"] - vma["start"] == PAGES * PAGE_SIZE
        assert vma["policy"] == "default"
        pytest.importorskip("rich")
        table = run("show", "--vmas", child.pid).stdout
    assert f"{address:x}-{vma['end']:x}" in table
    assert "[stack]" in table


def test_one_of_several_is_gone() -> None:
    gone = ended()
    with idle_process() as pid:
        shown = run("show", "--json", gone, pid)
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"pymigrate: pid {gone}: ")
    first, second = json.loads(shown.stdout)["processes"]
    assert (first["pid"], second["pid"]) == (gone, pid)
    assert first["error"]["type"] == "NoSuchProcess"
    assert shown.stderr == f"pymigrate: {first['error']['message']}\n"
    assert "error" not in second


@pytest.mark.parametrize("words", [("show", "--vmas", os.getpid()), ("nodes",)])
def test_a_table_in_a_pipe_is_as_wide_as_it_has_to_be(words: tuple[object, ...]) -> None:
    pytest.importorskip("rich")
    narrow = run(*words, COLUMNS="20").stdout.splitlines()
    assert max(map(len, narrow)) > 60
    assert "\u2026" not in "".join(narrow)  # nothing was cut
    assert [line for line in narrow if line != line.rstrip()] == []


def test_nodes() -> None:
    pytest.importorskip("rich")
    shown = run("nodes")
    assert (shown.returncode, shown.stderr) == (0, "")
    table = rows(shown.stdout)
    assert table[0] == ["nodes"]
    for node in topology():
        assert any(
            row[:3] == [str(node.number), str(NodeMask(node.cpus)) or "-", node.memory]
            for row in table
        )


def test_nodes_as_json() -> None:
    shown = run("nodes", "--json")
    found = json.loads(shown.stdout)
    assert [node["number"] for node in found["nodes"]] == list(topology().nodes)


@pytest.mark.parametrize("words", [("show", os.getpid()), ("nodes",)])
def test_without_rich(words: tuple[object, ...]) -> None:
    bare = (sys.executable, "-c", WITHOUT_RICH)
    shown = run(*words, command=bare)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "pip install 'pymigrate-numa[cli]'" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert json.loads(run(*words, "--json", command=bare).stdout)


def test_the_others_start_without_rich() -> None:
    program = "import sys, pymigrate.cli; sys.exit('rich' in sys.modules)"
    assert run(command=(sys.executable, "-c", program)).returncode == 0


def test_without_unicode() -> None:
    pytest.importorskip("rich")
    shown = run("nodes", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.isascii()
