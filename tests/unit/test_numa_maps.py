"""The grammar of numa_maps: each line that the kernel can write, and none that it cannot."""

from __future__ import annotations

import dataclasses
import errno

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.numa_lines import FLAGS, MODES, NumaLine, escape, numa_lines

from pymigrate._native import ffi, lib
from pymigrate.kernel.policy import Policy
from pymigrate.nodemask import NodeMask

COUNTS = ("anon", "dirty", "mapmax", "swapcache", "active", "writeback")
PLAIN = NumaLine(
    *(0x7F0000000000, "default", None, "", False, 4096, {0: 3}),
    *(3, 3, 1, 0, 3, 0),
)


def parse(text: bytes) -> dict[str, object] | None:
    """What the parser finds in a line, or None if it refuses it."""
    line = ffi.new("struct pm_numa_line *")
    result = lib.pm_numa_line_parse(text, len(text), line)
    if result < 0:
        assert result == -errno.EBADMSG
        return None
    return {
        "start": line.start,
        "policy": text[line.policy : line.policy + line.policy_length].decode("latin-1"),
        "path": text[line.path : line.path + line.path_length],
        "heap": line.heap,
        "stack": line.stack,
        "huge": line.huge,
        "page_size": line.page_size,
        "total": line.total,
        "pages": {line.node[i]: line.pages[i] for i in range(line.nodes)},
        **{name: getattr(line, name) for name in COUNTS},
    }


@given(numa_lines())
@example(PLAIN)
@example(dataclasses.replace(PLAIN, pages=dict.fromkeys(range(1024), 2**40)))
def test_every_line_of_the_kernel(line: NumaLine) -> None:
    found = parse(line.render())
    counts = {name: getattr(line, name) if line.total else 0 for name in COUNTS}
    if line.mapmax <= 1:
        counts["mapmax"] = 0
    if line.huge:
        counts["active"] = 0
    assert found == {
        "start": line.start,
        "policy": line.policy,
        "path": b"" if line.path is None else escape(line.path),
        "heap": line.mark == "heap",
        "stack": line.mark == "stack",
        "huge": line.huge,
        "page_size": line.page_size if line.total else 0,
        "total": line.total,
        "pages": line.pages,
        **counts,
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("nodes", ["", "0", "0-3,8"])
def test_policies(mode: str, flags: tuple[str, ...], nodes: str) -> None:
    text = mode + (f"={'|'.join(flags)}" if flags else "") + (f":{nodes}" if nodes else "")
    found = parse(f"00400000 {text} file=/bin/x mapped=2 N0=2 kernelpagesize_kB=4".encode())
    assert found is not None
    assert found["policy"] == text
    expected = Policy(mode, flags, NodeMask(nodes) if nodes else NodeMask(), cut=False)
    assert Policy.parse(text) == expected
    assert str(expected) == text


def test_policy_that_was_cut() -> None:
    text = f"bind:{','.join(map(str, range(100, 140, 2)))}"[:63]
    assert text.endswith(",126,12")  # the beginning of 128, and a node of its own
    policy = Policy.parse(text)
    assert policy.cut
    assert policy.nodes == NodeMask(range(100, 128, 2))
    assert str(policy).endswith(",126,...")


@given(st.binary(max_size=40))
def test_paths_come_back(name: bytes) -> None:
    path = b"/" + name.replace(b"\0", b"-")
    found = parse(b"00400000 default file=" + escape(path) + b" huge")
    assert found is not None
    assert found["path"] == escape(path)
    assert found["huge"]


def test_a_path_is_not_taken_for_fields() -> None:
    found = parse(b"00400000 default file=/N0=5/heap/huge=1 N1=2 kernelpagesize_kB=4")
    assert found is not None
    assert found["path"] == b"/N0=5/heap/huge=1"
    assert found["pages"] == {1: 2}


def test_a_newer_kernel_may_add_fields() -> None:
    found = parse(b"00400000 bind:0 heap anon=1 young=7 N0=1 flag kernelpagesize_kB=4 tail=x")
    assert found is not None
    assert found["pages"] == {0: 1}
    assert found["policy"] == "bind:0"


def test_huge_pages_count_as_themselves() -> None:
    found = parse(
        b"7f00 default file=/anon_hugepage\\040(deleted) huge anon=5 N3=5 kernelpagesize_kB=1048576"
    )
    assert found is not None
    assert (found["total"], found["page_size"]) == (5, 2**30)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"00400000",
        b"00400000 ",
        b"00400000  heap",
        b"x default",
        b"0040000g default",
        b"10000000000000000 default",
        b"00400000default",
        b"00400000 default anon=",
        b"00400000 default anon=x N0=1",
        b"00400000 default anon=-1 N0=1",
        b"00400000 default anon=1x N0=1",
        b"00400000 default N0=",
        b"00400000 default N0=1x",
        b"00400000 default N1024=1",
        b"00400000 default N99999999999999999999=1",
        b"00400000 default N0=18446744073709551616",
        b"00400000 default N0=18446744073709551615 N1=1",
        b"00400000 default N0=1 kernelpagesize_kB=18446744073709551615",
    ],
)
def test_malformed(text: bytes) -> None:
    assert parse(text) is None


@given(st.binary(max_size=200))
@example(b"00400000 default N0=1 N")
@example(b"00400000 default =1")
@example(b"00400000 default file=")
def test_whatever_it_is_fed_it_stays_within_the_line(text: bytes) -> None:
    found = parse(text)
    if found is not None:
        assert str(found["policy"]).encode("latin-1") in text


@given(numa_lines(), st.data())
def test_a_line_cut_anywhere_is_refused_or_a_shorter_line(
    line: NumaLine, data: st.DataObject
) -> None:
    text = line.render()
    cut = text[: data.draw(st.integers(0, len(text)))]
    found = parse(cut)
    assert found is None or found["start"] == line.start or len(cut.split(b" ")) < 2
