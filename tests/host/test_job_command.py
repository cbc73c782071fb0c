"""The command on whole jobs, and on evictions: who is meant, what is printed, the exit status."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest
from support.families import family
from support.pids import bury, mortal
from support.processes import ended, idle_process, zombie

from pymigrate import NodeMask
from pymigrate.cli import main

pytest.importorskip("psutil", reason="psutil is missing: pip install pymigrate-numa[job]")


@pytest.mark.parametrize("kind", ["--tree", "--session", "--group"])
def test_a_job_that_has_nothing_to_move(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with family() as (parent, pids):
        assert main(["migrate", kind, str(parent.pid), "0", "0", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert {part["pid"] for part in report["processes"]} == set(pids)
    assert report["complete"]
    assert report["settled"]
    assert report["moved"] == 0
    assert report["asked"] == sum(part["asked"] for part in report["processes"])


def test_several_pids_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as one, idle_process() as two:
        assert main(["migrate", f"{one},{two}", "0", "0"]) == 0
    assert "2 processes: done in " in capsys.readouterr().out


def test_verdicts_for_each_process(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as one, idle_process() as two:
        assert main(["check", f"{one},{two}", "0", "0", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["processes"]
        assert [part["pid"] for part in found] == [one, two]
        assert main(["migrate", "--dry-run", f"{one},{two}", "0", "0"]) == 0
        text = capsys.readouterr().out
    assert f"pid {one}:\n" in text
    assert text.count("nothing would move") == 2


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (["--cgroup", "/"], "is no cgroup: name its folder"),
        (["--tree", "1,2"], "--tree takes one PID"),
        (["12,"], "is no process id"),
        (["0"], "is no process id"),
        (["--look-again", "1s", "1,1"], "--look-again is for one process"),
    ],
)
@pytest.mark.parametrize("command", ["migrate", "evict"])
def test_what_is_no_target(
    command: str, target: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, *target, "0", "0"]) == 2
    assert told in capsys.readouterr().err


def test_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--tree", str(ended()), "0", "0", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "NoSuchProcess"


def test_an_eviction_that_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evict", str(os.getpid()), "0", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["action"], report["sources"], report["steps"]) == ("evict", [], 0)


@pytest.mark.skipif(
    "SwapTotal:             0 kB" not in Path("/proc/meminfo").read_text(),
    reason="this machine has swap; with little of it the numa tests do the same",
)
def test_an_eviction_without_swap_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as pid:
        assert main(["evict", str(pid), "0", "1"]) == 2
        assert "have to go to swap, which has room for 0 B" in capsys.readouterr().err
        assert main(["check", "--evict", str(pid), "0", "1"]) == 1
        assert "refused  swap: " in capsys.readouterr().out


def test_a_map_is_for_migrations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--evict", str(os.getpid()), "--map", "0:1"]) == 2
    assert "--map is for migrations" in capsys.readouterr().err


def test_each_process_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich", reason="rich is missing: pip install pymigrate-numa[cli]")
    with idle_process() as one, idle_process() as two:
        assert main(["migrate", f"{one},{two}", "0", "0"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {str(one), str(two)} <= {row[0] for row in rows if row}


def test_the_processes_of_a_job_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as pid:
        assert main(["show", "--tree", "--json", str(os.getpid())]) == 0
        shown = [part["pid"] for part in json.loads(capsys.readouterr().out)["processes"]]
        assert {os.getpid(), pid} <= set(shown)
        assert main(["show", "--json", f"{pid},{pid}"]) == 0
        assert len(json.loads(capsys.readouterr().out)["processes"]) == 2


@pytest.mark.parametrize("by", ["affinity", "ran", "cpuset"])
def test_at_home_on_the_only_node(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    if len(NodeMask.has_memory()) > 1:
        pytest.skip("this machine has several nodes; tests/numa has it move home there")
    with idle_process() as pid:
        assert main(["home", "--by", by, "--json", str(pid)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["action"], report["moved"], report["failures"]) == ("migrate", 0, [])


def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["home", "--device", "no-such-device", str(os.getpid())]) == 2
    assert "no-such-device" in capsys.readouterr().err


def test_following_ends_with_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    with mortal() as pid:
        timer = threading.Timer(0.2, bury, [pid])
        timer.start()
        assert main(["follow", "--interval", "50ms", str(pid)]) == 0
        timer.join()
    assert capsys.readouterr().err == ""


def test_a_folder_that_is_no_cgroup(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["relocate", str(tmp_path), "--mems", "0", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "InvalidArgument"


def test_one_that_is_not_there_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    gone = ended()
    with idle_process() as pid, zombie() as dead:
        assert main(["migrate", f"{pid},{gone},{dead}", "0", "0", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [part["pid"] for part in report["processes"]] == [pid]
    assert {part["pid"]: part["type"] for part in report["failures"]} == {
        gone: "NoSuchProcess",
        dead: "NoUserMemory",
    }


def test_the_text_of_a_job_closes(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as one, idle_process() as two:
        assert main(["migrate", f"{one},{two}", "0", "0"]) == 0
    sums = re.findall(r"^  (\w[\w ]*\w) +(\d+) pages", capsys.readouterr().out, re.M)
    asked, *parts = (int(pages) for _, pages in sums)
    assert asked == sum(parts) > 0


@pytest.mark.parametrize("option", ["--look-again", "--max-stall"])
def test_longer_than_anybody_waits(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["migrate", str(os.getpid()), "0", "0", option, "9999999999min"])
    assert "is no time that anybody waits" in capsys.readouterr().err
