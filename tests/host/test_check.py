"""check() and --dry-run on one node: of nodes that are not there, and of what would move."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, Callable

import pytest
from support import namespaces, requires, seccomp
from support.credentials import NOBODY, become, set_dumpable
from support.mappings import Map, anonymous
from support.processes import as_user, idle_process, in_child, servant
from support.syscalls import numbers

from pymigrate import (
    InvalidType,
    Job,
    Migration,
    NodeMask,
    NotPermitted,
    Preflight,
    Verdict,
    check,
    check_eviction,
    migrate,
    residency,
)
from pymigrate.operations import preflight as looked_at
from pymigrate.units import PAGE_SIZE

HERE = NodeMask.has_memory()
ABSENT = max(NodeMask.possible()) + 1
NAMES = [
    *("alive", "sandbox", "source-nodes", "user-memory", "identity"),
    *("target-nodes", "target-cpuset", "caller-cpuset", "shared-pages"),
    *("free-memory", "balancing", "pinned", "device-memory", "policy"),
]
COMMAND = str(Path(sysconfig.get_path("scripts")) / "pymigrate")


def by_name(preflight: Preflight) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in preflight.verdicts}


def dry_run(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [COMMAND, "migrate", "--dry-run", *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, cwd="/")


def test_every_check_has_a_verdict() -> None:
    with idle_process() as pid:
        for preflight in (check(pid, HERE, HERE), check(pid, HERE, ABSENT)):
            assert [verdict.name for verdict in preflight.verdicts] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_verdict_is_explained(name: str) -> None:
    assert f"``{name}``" in (Verdict.__doc__ or "")


def test_an_absent_target_is_told_once() -> None:
    with idle_process() as pid:
        preflight = check(pid, HERE, ABSENT)
    assert not preflight
    refused = [verdict for verdict in preflight.verdicts if verdict.state == "refused"]
    assert [verdict.name for verdict in refused] == ["target-nodes"]
    assert refused[0].finding == f"node {ABSENT} is not there or without memory"
    assert str(HERE) in refused[0].remedy
    for name in ("target-cpuset", "caller-cpuset", "free-memory", "policy"):
        assert (by_name(preflight)[name].state, by_name(preflight)[name].remedy) == ("skipped", "")
    assert preflight.moves == ()
    assert "skipped  target-cpuset: not looked at" in str(preflight)


def test_an_absent_source_is_a_warning() -> None:
    with idle_process() as pid:
        preflight = check(pid, HERE | {ABSENT}, HERE)
    verdict = by_name(preflight)["source-nodes"]
    assert preflight
    assert verdict.state == "warning"
    assert verdict.finding.startswith(f"node {ABSENT} is not there or without memory")
    assert by_name(check(os.getpid(), HERE, HERE))["source-nodes"].state == "ok"


CALLS = ("migrate_pages", "move_pages")


@pytest.mark.parametrize("forbidden", [CALLS[:1], CALLS[1:], CALLS])
def test_a_sandbox(forbidden: tuple[str, ...]) -> None:
    def look() -> Preflight:
        for call in forbidden:
            seccomp.refuse(errno.EPERM, getattr(numbers(), call))
        return check(0, HERE, HERE)

    preflight = in_child(look)
    verdict = by_name(preflight)["sandbox"]
    assert verdict.state == ("refused" if forbidden == CALLS else "warning")
    assert bool(preflight) == (forbidden != CALLS)
    assert [call in verdict.remedy for call in CALLS] == [call in forbidden for call in CALLS]


@requires.root
def test_a_process_in_a_user_namespace_that_the_caller_owns() -> None:
    """As of a rootless container: its owner has every capability in it (cap_capable())."""
    namespaces.needed()

    def contained() -> None:
        become(NOBODY)
        set_dumpable(True)
        namespaces.enter(f"0 {NOBODY} 1")

    def moved() -> tuple[int, str, Preflight]:
        left = migrate(pid, HERE, HERE)
        return left, Migration(pid, HERE, HERE).run().outcome, check(pid, HERE, HERE)

    with idle_process(contained) as pid:
        left, outcome, preflight = as_user(NOBODY, moved)
    assert (left, outcome) == (0, "done")
    assert preflight
    assert by_name(preflight)["identity"].state == "ok"


@requires.root
@pytest.mark.parametrize("sandboxed", [False, True])
def test_a_process_outside_of_the_user_namespace(sandboxed: bool) -> None:
    """Its map of ids may look like that of the first namespace, and yet it is another one."""
    namespaces.needed()

    def contained() -> tuple[Preflight, Preflight]:
        namespaces.enter(namespaces.ALL_IDS, groups=True)
        with pytest.raises(NotPermitted, match="stands in the way"):
            migrate(pid, HERE, HERE)
        if sandboxed:  # what is left tells no more than /proc
            seccomp.refuse(errno.EPERM, numbers().move_pages)
        else:
            with pytest.raises(NotPermitted, match="stands in the way"):
                Migration(pid, HERE, HERE).run()
        return check(pid, HERE, HERE), check_eviction(pid, HERE, ())

    with idle_process() as pid:
        for preflight in in_child(contained):
            verdict = by_name(preflight)["identity"]
            assert verdict.state == ("ok" if sandboxed else "refused")
            assert not preflight


def test_what_would_move() -> None:
    with servant(anonymous) as child:
        child.ask(Map.touch)
        # Nothing is refused, and the source is not there: the one move that a single node can show.
        preflight = check(child.pid, moves={ABSENT: HERE[0]})
        assert [move.to_dict() for move in preflight.moves] == [
            {"source": ABSENT, "target": HERE[0], "pages": 0, "bytes": 0}
        ]
        shown = dry_run(child.pid, "--map", f"{ABSENT}:{HERE[0]}")
        as_json = dry_run(child.pid, "--json", "--map", f"{ABSENT}:{HERE[0]}")
    assert shown.stdout.endswith(f"would move now:\n  {ABSENT} -> {HERE[0]}: 0 pages, 0 B\n")
    assert json.loads(as_json.stdout) == json.loads(json.dumps(preflight.to_dict()))


def test_nothing_would_move() -> None:
    with idle_process() as pid:
        refused = dry_run(pid, HERE, ABSENT)
        needless = dry_run(pid, HERE, HERE)
    assert (refused.returncode, needless.returncode) == (1, 0)
    assert refused.stdout.endswith("\nnothing would move\n")
    assert needless.stdout.endswith("\nnothing would move\n")


@pytest.mark.parametrize("value", ["no", 1, 0, []])
def test_no_flag(value: Any) -> None:
    with pytest.raises(InvalidType, match=r"^shared .*None, True or False"):
        check(0, HERE, HERE, shared=value)
    with pytest.raises(InvalidType, match=r"^thp .*True or False"):
        residency(0, thp=value)


@pytest.mark.parametrize("node", ["0", 0.0, True, [0]])
def test_no_node(node: Any) -> None:
    found = residency(0)
    with pytest.raises(InvalidType, match=r"^node .*a node number"):
        found.pages(node)
    with pytest.raises(InvalidType, match=r"^node "):
        found.bytes(node)
    assert found.bytes(HERE[0]) == found.pages(HERE[0]) * PAGE_SIZE


@pytest.mark.parametrize(
    ("look", "state"),
    [
        (lambda pid: check(pid, ABSENT, HERE), "warning"),
        (lambda pid: check(pid, HERE, HERE), "refused"),
        (lambda pid: check_eviction(pid, HERE, ()), "refused"),
        (lambda pid: Job.of([pid]).check(ABSENT, HERE).processes[pid], "refused"),
    ],
)
def test_addresses_that_the_caller_cannot_name(
    look: Callable[[int], Preflight], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The single call takes none: it serves where there is one that does what is asked for."""
    own = os.getpid()
    assert "addresses" not in by_name(look(own))
    monkeypatch.setattr(looked_at, "nameable", lambda files: False)
    found = look(own)
    verdict = by_name(found)["addresses"]
    assert verdict.state == state
    assert verdict.finding.startswith("it has addresses of 64 bits, which a 32-bit caller cannot")
    assert bool(found) == (state == "warning")
    assert not found.moves or found
