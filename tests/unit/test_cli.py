"""The command on values alone: what it prints, what it refuses, and its exit status."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from support.strategies import node_sets

import pymigrate
from pymigrate import NodeMask, plan
from pymigrate.cli import main

Capture = pytest.CaptureFixture[str]


def run(*arguments: str) -> int:
    """The exit status; argparse raises its own."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def test_plan(capsys: Capture) -> None:
    assert run("plan", "2-4", "3-5") == 0
    assert capsys.readouterr() == ("4 -> 5\n3 -> 4\n2 -> 3\n", "")


def test_plan_of_nothing(capsys: Capture) -> None:
    assert run("plan", "0", "0-1") == 0
    assert capsys.readouterr() == ("nothing has to move\n", "")


@given(node_sets(limit=64).filter(bool), node_sets(limit=64).filter(bool))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_plan_as_json(capsys: Capture, old: frozenset[int], new: frozenset[int]) -> None:
    assert run("plan", "--json", str(NodeMask(old)), str(NodeMask(new))) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "old": str(NodeMask(old)),
        "new": str(NodeMask(new)),
        "moves": [list(move) for move in plan(old, new)],
    }
    assert out.endswith("\n")
    assert err == ""


def test_version(capsys: Capture) -> None:
    assert run("--version") == 0
    assert capsys.readouterr() == (f"pymigrate {pymigrate.__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["migrate", "--help"]])
def test_help(capsys: Capture, arguments: list[str]) -> None:
    assert run(*arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: pymigrate")
    assert err == ""


def test_help_tells_the_exit_statuses(capsys: Capture) -> None:
    run("--help")
    assert statuses(capsys.readouterr().out) == ["0", "1", "2", "130"]


@pytest.mark.parametrize(
    ("subcommand", "expected"),
    [
        ("migrate", ["0", "1", "2", "130"] * 2),  # and those of --dry-run
        ("evict", ["0", "1", "2", "130"] * 2),
        ("home", ["0", "1", "2", "130"]),
        ("follow", ["0", "2", "130"]),
        ("relocate", ["0", "1", "2", "130"]),
        ("job", ["0", "1", "2", "130"]),
        ("check", ["0", "1", "2", "130"]),
        ("plan", ["0", "2", "130"]),
        ("show", ["0", "2", "130"]),
        ("nodes", ["0", "2", "130"]),
    ],
)
def test_each_tells_its_own_exit_statuses(
    capsys: Capture, subcommand: str, expected: list[str]
) -> None:
    run(subcommand, "--help")
    assert statuses(capsys.readouterr().out) == expected


def statuses(text: str) -> list[str]:
    """The exit statuses that a help explains."""
    _, _, epilog = text.partition("exit status")
    return re.findall(r"^  (\d+)  ", epilog, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "COMMAND"),
        ("levitate", "levitate"),
        ("plan", "OLD, NEW"),
        ("plan 0", "NEW"),
        ("plan 0 1 2", "unrecognized arguments: 2"),
        ("plan 0 1 --loudly", "--loudly"),
        ("plan 0 1 --loudly", "usage: pymigrate plan "),
        ("job slurm:1 0 3 --dry-run", "unrecognized arguments: --dry-run; --check says whether"),
        ("plan 0-x 1", "node list '0-x', position 2"),
        ("plan 0 32768", "node list '32768', position 0"),
        ("plan 0,, 1", "position 2"),
        ("migrate", "PID"),
        ("migrate 1", "--map OLD:NEW"),
        ("migrate 1 0", "--map OLD:NEW"),
        ("migrate 0 0 0", "'0' is no process id"),
        ("migrate +1 0 0", "'+1' is no process id"),
        ("migrate 1_0 0 0", "'1_0' is no process id"),
        ("migrate 1.0 0 0", "'1.0' is no process id"),
        ("migrate redis 0 0", "'redis' is no process id"),
        ("migrate \u0661 0 0", "is no process id"),
        ("migrate 2147483648 0 0", "'2147483648' is no process id"),
        (f"migrate {'9' * 5000} 0 0", "'9999999999"),
        (f"migrate 00000000001{'9' * 5000} 0 0", "'0000000000"),
        ("migrate 1 0 3-1", "argument NEW: node list '3-1', position 2"),
        ("migrate 1 -1 0", "OLD"),
        ("migrate 1 --map 0:1:2", "'0:1:2' has more than one colon; write OLD:NEW"),
        ("migrate 1 --map 0", "'0' has no colon; write OLD:NEW"),
        ("migrate 1 --map 0:1,0:2", "node 0 is given two targets"),
        ("migrate 1 --map 0:1-2", "'1-2' is not one node; write OLD:NEW"),
        ("migrate 1 0 1 --rate 5xB", "'5xB' is no size above 0; write 500M, 2GiB or 500MB"),
        ("migrate 1 0 1 --rate 0", "'0' is no size above 0"),
        ("migrate 1 0 1 --rate -1", "--rate"),
        ("migrate 1 0 1 --rate inf", "'inf' is no size above 0"),
        (f"migrate 1 0 1 --rate {'9' * 5000}", "'9999999999"),
        ("migrate 1 0 1 --max-stall 5MS", "'5MS' is no time above 0; write 500us, 5ms"),
        ("migrate 1 0 1 --look-again 5h", "'5h' is no time above 0"),
        ("migrate 1 0 1 --workers abc", "'abc' is no number of workers; give one from 1 to 256"),
        ("migrate 1 0 1 --workers 0", "'0' is no number of workers"),
        ("migrate 1 0 1 --workers -1", "'-1' is no number of workers"),
        ("migrate 1 0 1 --workers 257", "'257' is no number of workers"),
        ("migrate 1 0 1 --shared --no-shared", "--no-shared: not allowed with argument --shared"),
        ("migrate 1 0 1 --no-progress --progress", "not allowed with argument --no-progress"),
        ("job slurm:1 0 1 --leash", "--leash goes with --here"),
        ("job slurm:1 0 1 --rows 5", "--rows goes with --here"),
        ("job slurm:1 0 1 --here --rows 0", "'0' is no number of rows; give one from 1 to"),
        ("job slurm:1 0 1 --here --rows x", "'x' is no number of rows"),
        ("job slurm:1 0 1 --here --every 1s", "--every goes with --leash"),
        ("job slurm:1 0 1 --here --hosts h1", "--here is for this host alone; leave --hosts out"),
        ("job slurm:1 0 1 --here --timeout 9s", "leave --timeout out"),
        ("job slurm:1 0 1 --here --command x", "leave --command out"),
        ("job slurm:1 0 1 --here --progress", "leave --progress out"),
        ("job slurm:1 0 1 --timeout 1ms", "timeout 0.001: give 1 s at the least"),
        ("job slurm:1 0 1 --rate 0.4", "rate 0.4: give 1 byte in a second at the least"),
        ("job slurm:1 --show --evict", "--show looks at memory as it is; leave --evict out"),
        ("job slurm:1 --show --rate 1G", "--show looks at memory as it is; leave --rate out"),
        ("job slurm:1 --show --max-stall 5ms", "leave --max-stall out"),
        ("job slurm:1 --show --here --workers 3", "leave --workers out"),
        ("job slurm:1 --show --check", "not allowed with argument --show"),
        ("job slurm:1 0 1 --without-swap", "without_swap True: it is for evictions"),
        ("job slurm:1 0 1 --evict --shared", "shared True: it is for migrations"),
        (
            "job slurm:1 lokal",
            "'lokal' is no node list such as 0-3, and no rule; write home",
        ),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_wrong_arguments(capsys: Capture, arguments: str, complaint: str) -> None:
    assert run(*arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert len(err) < 1000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("job slurm:4 0 0 --json --timeout=-5", "argument --timeout: '-5' is no time above 0"),
        ("migrate --json 1 0 x", "argument NEW: node list 'x', position 0"),
        ("plan 0 1 --bogus --json", "unrecognized arguments: --bogus"),
        ("levitate --json", "argument COMMAND: invalid choice: 'levitate'"),
    ],
)
def test_wrong_arguments_as_json(capsys: Capture, arguments: str, complaint: str) -> None:
    assert run(*arguments.split()) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["type"] == "InvalidArgument"
    assert error["message"].startswith(complaint)
    assert err.startswith("usage: pymigrate")
    assert complaint in err


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("", "'' is no command; give a program, such as /opt/pymigrate/bin/pymigrate"),
        ("  ", "'  ' is no command; give a program"),
        ("''", "\"''\" is no command; give a program"),
        ("'a", '"\'a" is no command: No closing quotation'),
    ],
)
def test_what_is_no_command_of_the_hosts(capsys: Capture, command: str, complaint: str) -> None:
    assert run("job", "slurm:1", "0", "1", "--command", command) == 2
    assert f"argument --command: {complaint}" in capsys.readouterr().err


@pytest.mark.parametrize("nothing", ["", " ", ","])
def test_no_nodes(capsys: Capture, nothing: str) -> None:
    assert run("plan", "0", nothing) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"argument NEW: node list {nothing!r}" in err
