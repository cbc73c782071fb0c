"""The command on whole jobs, and on evictions: who is meant, what is printed, the exit status."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import requires
from support.credentials import NOBODY, become
from support.families import family
from support.forks import fork
from support.pids import bury, mortal
from support.processes import ended, idle_process, in_child, zombie

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
        (["--look-again", "1s", "1,1", "--dry-run"], "--look-again is for one process"),
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


def test_an_eviction_from_a_node_that_is_not_there_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    absent = str(max(NodeMask.possible()) + 1)
    assert main(["evict", str(os.getpid()), absent]) == 0
    assert f"node {absent} is not there or without memory" in capsys.readouterr().err
    main(["check", "--evict", str(os.getpid()), absent, "0"])
    assert f"warning  source-nodes: node {absent} is not there" in capsys.readouterr().out


def test_nodes_where_pages_may_stay_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    main(["evict", str(os.getpid()), "0", "--without-swap", "--dry-run"])
    assert "swap: " in capsys.readouterr().out


@pytest.mark.skipif(
    "SwapTotal:             0 kB" not in Path("/proc/meminfo").read_text(),
    reason="this machine has swap; with little of it the numa tests do the same",
)
def test_an_eviction_without_swap_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    own = str(os.getpid())  # to evict the memory of others takes CAP_SYS_NICE
    assert main(["evict", own, "0", "1"]) == 2
    assert "have to go to swap, which has room for 0 B" in capsys.readouterr().err
    assert main(["check", "--evict", own, "0", "1"]) == 1
    assert "refused  swap: " in capsys.readouterr().out


@pytest.mark.parametrize("nodes", [["0", "1"], ["0"]])
def test_a_check_of_an_eviction_takes_what_the_eviction_does(
    nodes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    own = os.getpid()
    for pids in (str(own), f"{own},{own}"):
        status = main(["check", "--evict", "--without-swap", pids, *nodes])
        told = capsys.readouterr().out
        assert re.search(r"warning  swap: .* need swap and stay, as asked", told)
        assert main(["evict", "--dry-run", "--without-swap", pids, *nodes]) == status == 0
        assert verdicts(capsys.readouterr().out) == verdicts(told)


def verdicts(text: str) -> list[str]:
    """States and names."""
    return re.findall(r"^\w+ +[\w-]+:", text, re.M)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["0", "1", "--without-swap"], "--without-swap goes with --evict"),
        (["--evict"], "give --evict the nodes OLD"),
    ],
)
def test_what_no_check_can_mean(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(os.getpid()), *words]) == 2
    assert told in capsys.readouterr().err


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
        assert main(["migrate", f"{pid},{gone},{dead}", "0", "0", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [part["pid"] for part in report["processes"]] == [pid]
    assert {part["pid"]: part["type"] for part in report["failures"]} == {
        gone: "NoSuchProcess",
        dead: "NoUserMemory",
    }


def test_the_exit_status_is_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as pid:
        assert main(["migrate", f"{pid},{ended()}", "0", "0"]) == 2
    text = capsys.readouterr().out
    assert "2 processes, 1 of them not dealt with: done in " in text
    if find_spec("rich"):
        assert re.search(r"failed.* gone", text)


@requires.root
@pytest.mark.parametrize("command", [["home"], ["migrate"], ["evict"]])
def test_all_of_them_belong_to_somebody_else(command: list[str]) -> None:
    nodes = [] if command == ["home"] else ["0", "0"]

    def call(pids: str) -> tuple[int, str]:
        become(NOBODY)
        out = io.StringIO()
        with redirect_stdout(out):
            status = main([*command, pids, *nodes])
        return status, out.getvalue()

    with idle_process() as one, idle_process() as two:
        status, text = in_child(lambda: call(f"{one},{two}"))
        assert (status, "2 processes: failed in " in text) == (2, True)
        alone, _ = in_child(lambda: call(str(one)))
    assert alone == 2


# -- what is looked at beforehand


def test_a_check_of_one_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    gone = ended()
    with idle_process() as pid:
        for words in (["check"], ["migrate", "--dry-run"], ["check", "--evict"]):
            assert main([*words, f"{pid},{gone}", "0", "0", "--json"]) == 2
            found = json.loads(capsys.readouterr().out)
            assert [part["pid"] for part in found["processes"]] == [pid]
            assert [part["pid"] for part in found["failures"]] == [gone]
            assert not found["possible"]
        assert main(["check", f"{pid},{gone}", "0", "0"]) == 2
        text = capsys.readouterr().out
    assert f"pid {gone}: " in text
    assert "warning  members: 1 process and 1 that cannot be dealt with" in text


def test_the_form_of_a_check_is_that_of_the_question(capsys: pytest.CaptureFixture[str]) -> None:
    with idle_process() as pid:
        assert main(["check", "--tree", str(pid), "0", "0", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [part["pid"] for part in found["processes"]] == [pid]
        assert [verdict["name"] for verdict in found["verdicts"]] == ["members", "free-memory"]
        assert main(["check", f"{pid},{pid}", "0", "0", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["processes"]) == 1
        assert main(["check", str(pid), "0", "0", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["pid"] == pid


def churn() -> None:
    """Makes children that end at once, as fast as it can."""
    while True:
        if os.fork() == 0:
            os._exit(0)
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    "command", [["check", "{}", "0", "0"], ["migrate", "--dry-run", "{}", "0", "0"], ["show", "{}"]]
)
def test_members_that_end_meanwhile(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with mortal() as parent, ExitStack() as stack:
        kept = [stack.enter_context(forking()) for _ in range(2)]
        words = [word.format(os.getpid()) for word in command]
        for _ in range(10):
            assert main([*words, "--tree", "--json"]) == 0
            shown = json.loads(capsys.readouterr().out)["processes"]
            assert {parent, *kept} <= {part["pid"] for part in shown}
            assert all("error" not in part for part in shown)


@contextmanager
def forking() -> Iterator[int]:
    """A process that makes children, which end at once."""
    pid = fork()
    if pid == 0:
        churn()
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


@pytest.fixture
def nobody_in_it(tmp_path: Path) -> str:
    """A folder like that of a cgroup that is empty."""
    (tmp_path / "cgroup.procs").write_text("")
    return str(tmp_path)


def test_a_cgroup_without_a_process(nobody_in_it: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--cgroup", nobody_in_it, "0", "0"]) == 0
    assert "warning  members: the job has no process now" in capsys.readouterr().out
    assert main(["show", "--cgroup", nobody_in_it]) == 0
    assert "the job has no process now" in capsys.readouterr().err
    assert main(["follow", "--cgroup", nobody_in_it]) == 0
    assert "the job has no process now: there is nothing to follow" in capsys.readouterr().err


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
