"""A NodeMask says the same in every form: list, hexadecimal, words, bits, bitmap, pickle."""

from __future__ import annotations

import copy
import pickle
import re
import struct
from array import array
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from support.strategies import LIMIT, node_sets

from pymigrate import NodeMask, nodemask
from pymigrate._native import ffi, lib

LONG = struct.calcsize("@L")

FULL = frozenset(range(LIMIT))
COMB = frozenset(range(0, LIMIT, 2))  # has the longest list


def kernel_words(nodes: frozenset[int], size: int) -> bytes:
    """The definition: node n is bit n % BITS of word n // BITS, an unsigned long."""
    words = [0] * (size // LONG)
    for node in nodes:
        words[node // (8 * LONG)] |= 1 << node % (8 * LONG)
    return struct.pack(f"@{len(words)}L", *words)


def node_list(nodes: frozenset[int]) -> str:
    """The definition: runs in ascending order, a run of one without a hyphen."""
    starts = sorted(n for n in nodes if n - 1 not in nodes)
    ends = sorted(n for n in nodes if n + 1 not in nodes)
    return ",".join(
        f"{start}-{end}" if end > start else f"{start}" for start, end in zip(starts, ends)
    )


@given(node_sets())
@example(FULL)
@example(COMB)
def test_from_any_iterable(nodes: frozenset[int]) -> None:
    ascending = sorted(nodes)
    for iterable in (nodes, ascending, ascending[::-1] * 2, iter(ascending), dict.fromkeys(nodes)):
        assert list(NodeMask(iterable)) == ascending


@given(node_sets())
@example(FULL)
@example(COMB)
def test_list_text(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert str(mask) == f"{mask}" == node_list(nodes)
    if nodes:
        assert NodeMask(str(mask)) == mask


@given(node_sets())
@example(FULL)
@example(COMB)
def test_hexadecimal(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert re.fullmatch("[0-9a-f]{8}(,[0-9a-f]{8})*", mask.to_hex())
    assert int(mask.to_hex().replace(",", ""), 16) == sum(1 << node for node in nodes)
    assert NodeMask.from_hex(mask.to_hex()) == mask
    # As /proc and sysfs pad and end it.
    assert NodeMask.from_hex(f"00000000,{mask.to_hex().upper()}\n") == mask


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("0", ""),
        ("1", "0"),
        ("f", "0-3"),
        ("00000000,00000001", "0"),
        ("1,00000000", "32"),
        (" 80000000,00000000,00000003\n", "0-1,95"),
    ],
)
def test_hexadecimal_of_the_kernel(text: str, nodes: str) -> None:
    assert str(NodeMask.from_hex(text)) == nodes


@given(node_sets())
@example(FULL)
@example(COMB)
def test_words(nodes: frozenset[int]) -> None:
    words = NodeMask(nodes).to_words()
    assert len(words) % 8 == 0
    assert words == kernel_words(nodes, len(words))
    assert NodeMask.from_words(words) == nodes


def test_words_in_any_buffer() -> None:
    longs = array("L", [0] * (64 // LONG))
    longs[-1] = 1
    node = (len(longs) - 1) * 8 * LONG
    plain = longs.tobytes()
    odd = memoryview(b"x" + plain)[1:]
    every = b"".join(bytes((byte, 255)) for byte in plain)
    spread = memoryview(every)[::2]
    buffers: list[Any] = [longs, memoryview(longs), plain, bytearray(plain), odd, spread]
    assert {str(NodeMask.from_words(words)) for words in buffers} == {str(node)}


def test_words_are_read_where_a_word_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere some processors stop, such as sparc64."""
    found = []

    def look(words: Any, size: int, bitmap: object) -> None:
        address: Any = ffi.cast("uintptr_t", words)
        found.append(int(address) % LONG)

    shim = SimpleNamespace(PM_BITMAP_MAX=lib.PM_BITMAP_MAX, pm_bitmap_from_words=look)
    monkeypatch.setattr(nodemask, "lib", shim)
    for start in range(9):
        NodeMask.from_words(memoryview(bytes(32))[start : start + 16])
    assert found == [0] * 9


@given(node_sets())
@example(FULL)
def test_words_of_the_shim(nodes: frozenset[int]) -> None:
    bitmap = NodeMask(nodes).to_bitmap()
    size = lib.pm_words_size(len(bitmap))
    assert size % 8 == 0
    assert 0 <= size - len(bitmap) < 8
    words = ffi.new("unsigned long[]", [2**32 - 1] * (lib.PM_BITMAP_MAX // LONG))
    lib.pm_words_from_bitmap(bitmap, len(bitmap), words)
    assert bytes(ffi.buffer(words, size)) == kernel_words(nodes, size)
    back = ffi.new("uint8_t[]", len(bitmap))
    lib.pm_bitmap_from_words(words, len(bitmap), back)
    assert bytes(ffi.buffer(back)) == bitmap


@given(node_sets())
@example(FULL)
def test_bits(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert mask.to_bits() == sum(1 << node for node in nodes)
    assert NodeMask.from_bits(mask.to_bits()) == mask


@given(node_sets())
@example(FULL)
def test_bitmap(nodes: frozenset[int]) -> None:
    bitmap = NodeMask(nodes).to_bitmap()
    assert {n for n in range(8 * len(bitmap)) if bitmap[n // 8] >> n % 8 & 1} == nodes
    assert not bitmap.endswith(b"\0")


@given(node_sets())
@example(FULL)
def test_repr_is_source(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    assert eval(repr(mask), {"NodeMask": NodeMask}) == mask  # noqa: S307


def test_repr_reads_well() -> None:
    assert repr(NodeMask([3, 0, 1])) == "NodeMask('0-1,3')"
    assert repr(NodeMask()) == "NodeMask()"


@given(node_sets())
@example(FULL)
def test_pickle_and_copy(nodes: frozenset[int]) -> None:
    mask = NodeMask(nodes)
    copies = [
        pickle.loads(pickle.dumps(mask, protocol))  # noqa: S301
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for same in [*copies, copy.copy(mask), copy.deepcopy(mask), copy.deepcopy([mask])[0]]:
        assert type(same) is NodeMask
        assert same == mask
        assert same.to_words() == mask.to_words()


def test_every_subset_of_ten_nodes() -> None:
    for size in range(11):
        for nodes in map(frozenset, combinations(range(10), size)):
            mask = NodeMask(nodes)
            forms = [
                NodeMask.from_bits(mask.to_bits()),
                NodeMask.from_hex(mask.to_hex()),
                NodeMask.from_words(mask.to_words()),
                *([NodeMask(str(mask))] if nodes else []),
            ]
            assert str(mask) == node_list(nodes)
            assert {tuple(form) for form in forms} == {tuple(sorted(nodes))}


@pytest.mark.parametrize("node", [0, 1, 7, 8, 31, 32, 62, 63, 64, 1023, 1024, LIMIT - 1])
def test_one_node(node: int) -> None:
    mask = NodeMask(node)
    assert list(mask) == [node]
    assert mask == NodeMask([node]) == NodeMask(str(node)) == NodeMask(f"{node}-{node}")


def test_a_mask_makes_itself() -> None:
    mask = NodeMask("0-3")
    assert NodeMask(mask) is mask


def test_none() -> None:
    assert NodeMask() == NodeMask([]) == NodeMask(NodeMask()) == frozenset()
    assert (str(NodeMask()), NodeMask().to_hex(), NodeMask().to_words()) == ("", "00000000", b"")


class Mine(NodeMask):
    """Somebody's own kind of mask."""

    __slots__ = ()


def test_a_subclass_stays_one() -> None:
    mask = Mine("0-3")
    assert type(NodeMask(mask)) is NodeMask
    for made in (mask & NodeMask("1"), Mine.from_hex("f"), copy.copy(mask), Mine(NodeMask("0-3"))):
        assert type(made) is Mine
    assert pickle.loads(pickle.dumps(mask)) == mask  # noqa: S301
    assert repr(mask) == "Mine('0-3')"
