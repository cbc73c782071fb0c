"""Node lists are read by one grammar; a parser of three regular expressions is its second opinion.

The grammar is that of csrc/nodelist.h. What a list means that refers to a cpuset is tested by the
shim's own function, which is told the cpuset.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import (
    LIMIT,
    SPACE,
    node_lists,
    node_sets,
    relative_node_lists,
    scribbles,
)

from pymigrate import InvalidNodes, NodeMask
from pymigrate._native import ffi, lib

REGION = re.compile(r"(?:(all)|(\d+)(?:-(\d+)|(?!:)))(?::(\d+)/(\d+))?", re.ASCII | re.IGNORECASE)
SEPARATOR = re.compile(rf"[{SPACE}]*,[{SPACE}]*|[{SPACE}]+")


def region_of(text: str, cpuset: frozenset[int]) -> frozenset[int] | None:
    """The nodes of one region, or None if it is none."""
    match = REGION.fullmatch(text)
    if match is None:
        return None
    every, first, last, used, group = match.groups()
    used, group = int(used or 1), int(group or 1)
    if not 1 <= used <= group < LIMIT:
        return None
    if every:
        return frozenset(node for node in cpuset if node % group < used)
    first, last = int(first), int(last or first)
    if not first <= last < LIMIT:
        return None
    return frozenset(node for node in range(first, last + 1) if (node - first) % group < used)


def meaning(text: str, cpuset: frozenset[int]) -> frozenset[int] | None:
    """The nodes of a list, or None if it is none."""
    text = text.strip(SPACE)
    inverted = text.startswith("!")
    text = text[inverted:]
    ranked = text.startswith("+")
    text = text[ranked:]
    ranks = frozenset(range(len(cpuset)))
    regions = [region_of(item, ranks if ranked else cpuset) for item in SEPARATOR.split(text)]
    if None in regions:
        return None
    nodes = frozenset[int]().union(*(region for region in regions if region is not None))
    if ranked:
        if not nodes <= ranks:
            return None
        nodes = frozenset(sorted(cpuset)[rank] for rank in nodes)
    return cpuset - nodes if inverted else nodes


def parse(text: str, cpuset: frozenset[int]) -> frozenset[int] | tuple[int, int]:
    """What the shim says: nodes, or an error and its position."""
    raw = text.encode("ascii", "replace")
    allowed = NodeMask(cpuset).to_bitmap()
    bitmap = ffi.new("uint8_t[]", b"\xff" * lib.PM_BITMAP_MAX)
    where = ffi.new(ffi.typeof("size_t[1]"))
    size = lib.pm_nodelist_parse(raw, len(raw), allowed, len(allowed), bitmap, where)
    if size < 0:
        return -size, where[0]
    return frozenset(NodeMask.from_bits(int.from_bytes(ffi.buffer(bitmap, size), "little")))


def short(value: object) -> str:
    """A name for a test case."""
    return ascii(value)[:40]


@given(node_lists())
@example("0-3,8")
@example("0-31:2/8\n")
@example("0 , 1\t2\v,3")
def test_absolute_list(text: str) -> None:
    expected = meaning(text, frozenset())
    if expected is None:
        with pytest.raises(InvalidNodes):
            NodeMask(text)
    else:
        assert NodeMask(text) == expected


@given(relative_node_lists(limit=40), node_sets(limit=40))
@example("+all", frozenset([2, 5]))
@example("!+all:1/2", frozenset([2, 5, 6]))
@example("all:2/4", frozenset([2, 5, 6, 8]))
@example("!0", frozenset([1]))
@example("+0", frozenset())
@example("all", frozenset())
def test_relative_list(text: str, cpuset: frozenset[int]) -> None:
    result = parse(text, cpuset)
    expected = meaning(text, cpuset)
    if expected is None:
        assert isinstance(result, tuple)
    else:
        assert result == expected


@given(scribbles(), node_sets(limit=70))
def test_any_text(text: str, cpuset: frozenset[int]) -> None:
    result = parse(text, cpuset)
    expected = meaning(text, cpuset)
    if expected is None:
        assert isinstance(result, tuple)
        assert 0 <= result[1] <= len(text)
    else:
        assert result == expected


@given(scribbles())
@example("")
@example("\u0661-\u0663")
@example("0\udcff")
@example("0\0")
def test_any_text_makes_nodes_or_invalid_nodes(text: str) -> None:
    nodes = meaning(text, frozenset(NodeMask.allowed()))
    if nodes is not None:
        assert NodeMask(text) == nodes
        return
    with pytest.raises(InvalidNodes) as refusal:
        NodeMask(text)
    assert refusal.value.value == text
    assert refusal.value.position in range(len(text) + 1)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("0", [0]),
        ("007", [7]),
        ("0-3,8", [0, 1, 2, 3, 8]),
        ("8,0-3,2", [0, 1, 2, 3, 8]),
        ("5-5", [5]),
        ("0-31:2/8", [0, 1, 8, 9, 16, 17, 24, 25]),
        ("1-10:2/3", [1, 2, 4, 5, 7, 8, 10]),
        ("3-20:8/8", range(3, 21)),
        ("0-9:1/100", [0]),
        ("7-7:1/2", [7]),
        ("0\n", [0]),
        (" 0 1\t2 , 3 ,4, 5\n", range(6)),
        ("62", [62]),
        ("63", [63]),
        ("0-62,63,64", range(65)),
        ("0-32767", range(LIMIT)),
        ("32767", [LIMIT - 1]),
        ("0" * 300 + "4", [4]),
    ],
    ids=short,
)
def test_grammar(text: str, nodes: list[int]) -> None:
    assert list(NodeMask(text)) == list(nodes)


RELATIVE = frozenset([1, 3, 4, 8])


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("all", [1, 3, 4, 8]),
        ("ALL", [1, 3, 4, 8]),
        ("all,2", [1, 2, 3, 4, 8]),
        ("all:1/4", [4, 8]),
        ("!3", [1, 4, 8]),
        ("!0,2", [1, 3, 4, 8]),
        ("!all", []),
        ("+0", [1]),
        ("+1-2", [3, 4]),
        ("+0-3:1/2", [1, 4]),
        ("+all", [1, 3, 4, 8]),
        ("+all:1/3", [1, 8]),
        ("!+0", [3, 4, 8]),
        ("!+all", []),
    ],
)
def test_relative_grammar(text: str, nodes: list[int]) -> None:
    assert parse(text, RELATIVE) == frozenset(nodes)


@pytest.mark.parametrize(
    ("text", "position", "complaint"),
    [
        ("", 0, "empty"),
        (" \n", 2, "empty"),
        (",", 0, "a node number"),
        (",0", 0, "a node number"),
        ("0,", 2, "a node number"),
        ("0,,1", 2, "a node number"),
        ("0 ,\t,1", 4, "a node number"),
        ("-1", 0, "a node number"),
        ("0-", 2, "a node number"),
        ("0--1", 2, "a node number"),
        ("0 - 1", 2, "a node number"),
        ("node0", 0, "a node number"),
        ("al", 0, "a node number"),
        ("0x1", 1, "a comma or the end"),
        ("1.0", 1, "a comma or the end"),
        ("0-1-2", 3, "a comma or the end"),
        ("7:1/2", 1, "a comma or the end"),
        ("0-3,07:1/2", 6, "a comma or the end"),
        ("0;1", 1, "a comma or the end"),
        ("0\x001", 1, "a comma or the end"),
        ("0\x1f1", 1, "a comma or the end"),
        ("0\u00a01", 1, "a comma or the end"),
        ("0,\u0661", 2, "a node number"),
        ("0,\N{MATHEMATICAL DOUBLE-STRUCK DIGIT ONE}", 2, "a node number"),
        ("\udc80", 0, "a node number"),
        ("32768", 0, "up to 32767"),
        ("0-32768", 2, "up to 32767"),
        ("9" * 100_000, 0, "up to 32767"),
        ("1,4294967296", 2, "up to 32767"),
        ("1,18446744073709551616", 2, "up to 32767"),
        ("3-1", 2, "before it starts"),
        ("0-3:", 4, "a group"),
        ("0-3:1", 5, "a group"),
        ("0-3:1/", 6, "a group"),
        ("0-3:/4", 4, "a group"),
        ("0-3:0/4", 4, "a group"),
        ("0-3:5/4", 4, "a group"),
        ("0-3:1/0", 4, "a group"),
        ("0-3:1/99999", 6, "a group"),
        ("0 !1", 2, "a node number"),
        ("0,+1", 2, "a node number"),
    ],
    ids=short,
)
def test_refusal(text: str, position: int, complaint: str) -> None:
    with pytest.raises(InvalidNodes, match=complaint) as refusal:
        NodeMask(text)
    assert refusal.value.position == position
    assert refusal.value.value == text
    assert ascii(text)[1:50] in str(refusal.value).encode("ascii", "backslashreplace").decode()
    assert f"position {position}," in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "position", "error"),
    [
        ("+4", 0, lib.PM_LIST_RANK),
        ("!+0-4", 1, lib.PM_LIST_RANK),
        ("!", 1, lib.PM_LIST_NO_NUMBER),
        ("+", 1, lib.PM_LIST_NO_NUMBER),
        ("+!0", 1, lib.PM_LIST_NO_NUMBER),
        ("!!0", 1, lib.PM_LIST_NO_NUMBER),
        ("all-3", 3, lib.PM_LIST_TRAILING),
        ("allow", 3, lib.PM_LIST_TRAILING),
        ("0-all", 2, lib.PM_LIST_NO_NUMBER),
        ("all:0/1", 4, lib.PM_LIST_GROUP),
    ],
)
def test_relative_refusal(text: str, position: int, error: int) -> None:
    assert parse(text, RELATIVE) == (error, position)


@given(node_lists(limit=100))
@example("0-62")
@example("63")
@example("0" * 257)
@example("0-63:1/2")
def test_small_lists_are_lists(text: str) -> None:
    bits = lib.pm_nodelist_parse_small(text.encode(), len(text))
    nodes = meaning(text, frozenset())
    if nodes is None or max(nodes) > 62 or len(text) > 256:
        assert bits == -1
    elif max(map(int, re.findall(r"\d+", text))) > 62:
        # A range may end where none of its groups reaches; then it may refuse.
        assert bits in (-1, sum(1 << node for node in nodes))
    else:
        assert bits == sum(1 << node for node in nodes)


@given(node_sets())
@example(frozenset(range(0, LIMIT, 2)))
@example(frozenset(range(LIMIT)))
def test_length_of_the_list_is_bounded(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert len(str(mask)) <= lib.pm_nodelist_length_max(len(mask.to_bitmap()))


@given(st.text(SPACE), node_sets().filter(bool), st.text(SPACE))
def test_white_space_around(before: str, nodes: frozenset[int], after: str) -> None:
    assert NodeMask(before + str(NodeMask(nodes)) + after) == nodes


class Text(str):
    """A str with more to it."""

    __slots__ = ()


def test_text_of_another_type() -> None:
    assert NodeMask(Text("0-3,8")) == NodeMask("0-3,8")
    with pytest.raises(InvalidNodes, match="position 2"):
        NodeMask(Text("0-x"))
