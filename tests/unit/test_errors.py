"""Errors are what people catch already, say what happened to whom, and travel between processes."""

from __future__ import annotations

import copy
import errno
import inspect
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pymigrate
from pymigrate import NodeMask, errors
from pymigrate.errors import quote

BUILTINS: dict[type[errors.Error], set[type[Exception]]] = {
    errors.Error: {Exception},
    errors.InvalidArgument: {ValueError},
    errors.InvalidType: {ValueError, TypeError},
    errors.InvalidNodes: {ValueError},
    errors.UnknownNode: {ValueError, LookupError},
    errors.LauncherError: {Exception},
    errors.EngineMissing: {OSError, FileNotFoundError},
    errors.NoSuchJob: {LookupError},
    errors.JobRefused: {OSError, PermissionError},
    errors.HelperMissing: {OSError, FileNotFoundError},
    errors.WorldOfOne: {RuntimeError},
    errors.KernelError: {OSError},
    errors.NoSuchProcess: {OSError, ProcessLookupError},
    errors.NotPermitted: {OSError, PermissionError},
    errors.NodesRefused: {OSError, ValueError},
    errors.NoUserMemory: {OSError},
    errors.OutOfMemory: {OSError},
    errors.NoSwap: {OSError},
    errors.CpusetRefused: {OSError},
    errors.Unsupported: {OSError},
}

KERNEL_ERRORS = [kind for kind in BUILTINS if issubclass(kind, errors.KernelError)]

EXAMPLES = [
    errors.Error("gone wrong"),
    errors.InvalidArgument("makes no sense"),
    errors.InvalidType("is no int"),
    errors.InvalidNodes("is no list", "0-x", 2),
    errors.InvalidNodes("is no node", -1),
    *(
        kind(
            errno.EPERM,
            "the cause",
            pid=17,
            old=NodeMask("0-1"),
            new=NodeMask(),
            reason="because",
            remedy="do this",
        )
        for kind in KERNEL_ERRORS
    ),
    errors.NoSuchProcess(errno.ESRCH, "gone", pid=0),
    errors.JobRefused("job 7 is not yours", reason="not-yours", remedy="ask its owner"),
    errors.WorldOfOne("alone", reason="world-of-one", remedy="start it with srun --mpi=pmi2"),
    errors.EngineMissing("srun is not here"),
]


def test_a_job_that_has_ended_is_told_what_to_do() -> None:
    error = errors.NoSuchJob("Slurm job 7 has ended: COMPLETED", reason="ended")
    assert str(error).endswith("COMPLETED; its memory goes with it: name a job that runs")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


every_kind = pytest.mark.parametrize("kind", BUILTINS, ids=lambda kind: kind.__name__)


def test_the_table_is_complete() -> None:
    classes = [item for _, item in inspect.getmembers(errors, inspect.isclass)]
    assert set(BUILTINS) == {item for item in classes if issubclass(item, Exception)}


@every_kind
def test_is_the_builtin(kind: type[errors.Error]) -> None:
    assert issubclass(kind, errors.Error)
    for builtin in BUILTINS[kind]:
        assert issubclass(kind, builtin)


@every_kind
def test_is_exported(kind: type[errors.Error]) -> None:
    assert getattr(pymigrate, kind.__name__) is kind
    assert kind.__name__ in pymigrate.__all__


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
def test_survives_pickle_and_copy(error: errors.Error) -> None:
    copies = [
        pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for same in [*copies, copy.copy(error), copy.deepcopy(error)]:
        assert type(same) is type(error)
        assert str(same) == str(error)
        assert same.args == error.args
        assert vars(same) == vars(error)
        assert getattr(same, "errno", None) == getattr(error, "errno", None)
        assert getattr(same, "strerror", None) == getattr(error, "strerror", None)


@pytest.mark.parametrize("kind", KERNEL_ERRORS, ids=lambda kind: kind.__name__)
def test_keeps_what_it_was_told(kind: type[errors.KernelError]) -> None:
    old, new = NodeMask("0-1"), NodeMask("2")
    error = kind(errno.EINVAL, "cause", pid=17, old=old, new=new, reason="why", remedy="help")
    assert (error.errno, error.pid, error.reason) == (errno.EINVAL, 17, "why")
    assert (error.old, error.new, error.remedy) == (old, new, "help")


def test_message() -> None:
    error = errors.NotPermitted(
        errno.EPERM,
        "it runs as uid 5",
        pid=17,
        old=NodeMask("0-1"),
        new=NodeMask("2"),
        remedy="run as that user",
    )
    assert str(error) == (
        "pid 17, nodes 0-1 -> 2: it runs as uid 5; run as that user "
        "[Operation not permitted, errno 1]"
    )


def test_message_of_a_cgroup() -> None:
    error = errors.CpusetRefused(errno.EROFS, "read-only", folder="/c/job", remedy="do it outside")
    assert str(error) == ("/c/job: read-only; do it outside [Read-only file system, errno 30]")
    error.restored = False
    assert "do it outside; the old setting is not back [" in str(error)


def test_message_without_nodes_or_remedy() -> None:
    error = errors.NoSuchProcess(errno.ESRCH, "it is gone", pid=17)
    assert str(error) == "pid 17: it is gone [No such process, errno 3]"


def test_message_of_the_caller_and_of_no_nodes() -> None:
    error = errors.NodesRefused(
        errno.EINVAL, "new is empty", pid=0, old=NodeMask("0"), new=NodeMask()
    )
    assert str(error).startswith("the calling process, nodes 0 -> none: new is empty")


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("0-3", "'0-3'"),
        ("\n\0é\udc80", "'\\n\\x00é\\udc80'"),
        (b"0-3", "b'0-3'"),
        (-1, "-1"),
        (None, "None"),
    ],
)
def test_quote(value: object, quoted: str) -> None:
    assert quote(value) == quoted


def test_quote_of_a_long_number() -> None:
    assert quote(1 << 20_000) == "an integer of 20001 bits"


@given(st.one_of(st.text(), st.binary(), st.integers()))
def test_quotes_are_short(value: Any) -> None:
    quoted = quote(value)
    assert len(quoted) < 70
    if len(repr(value)) < 50:
        assert quoted == repr(value)
    else:
        assert quoted[:20] == repr(value)[:20]
