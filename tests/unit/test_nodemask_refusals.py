"""What is no set of nodes is refused: by a typed error that quotes it, and at a bounded price."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from typing import Any, Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import LIMIT, scribbles

from pymigrate import InvalidNodes, InvalidType, NodeMask

HUGE = 16 << 20

HEXADECIMAL = re.compile("[0-9a-fA-F]{1,8}(,[0-9a-fA-F]{8})*")

strangers = pytest.mark.parametrize(
    "stranger",
    [True, False, 0.0, 1.5, float("nan"), 1j, Fraction(1), None, object(), len],
    ids=repr,
)


@strangers
def test_no_node(stranger: Any) -> None:
    for nodes in (stranger, [0, stranger], iter([stranger])):
        with pytest.raises(InvalidType) as refusal:
            NodeMask(nodes)
        assert repr(stranger)[:50] in str(refusal.value)


@pytest.mark.parametrize("item", ["0", "0-3", b"0", [0], (), NodeMask("0"), {}], ids=repr)
def test_no_node_in_an_iterable(item: Any) -> None:
    with pytest.raises(InvalidType) as refusal:
        NodeMask([0, item])
    assert repr(item) in str(refusal.value)


@pytest.mark.parametrize("raw", [b"0-3", b"", bytearray(b"0-3"), memoryview(b"0-3")], ids=repr)
def test_bytes_are_no_list(raw: Any) -> None:
    with pytest.raises(InvalidType, match="as str, not as bytes"):
        NodeMask(raw)


@given(st.integers().filter(lambda number: not 0 <= number < LIMIT))
@example(-1)
@example(LIMIT)
@example(2**32)
@example(2**64)
def test_numbers_out_of_range(number: int) -> None:
    for nodes in (number, [0, number]):
        with pytest.raises(InvalidNodes, match="from 0 to 32767") as refusal:
            NodeMask(nodes)
        assert str(number) in str(refusal.value)
        assert refusal.value.value == number


def price(refused: Callable[[], object]) -> tuple[int, int]:
    """Bytes allocated at most during a refusal, and the length of its message."""
    tracemalloc = pytest.importorskip("tracemalloc", reason="CPython alone has it")
    tracemalloc.start()
    try:
        refused()
    except (InvalidNodes, InvalidType) as refusal:
        return tracemalloc.get_traced_memory()[1], len(str(refusal))
    finally:
        tracemalloc.stop()
    pytest.fail("not refused")


@pytest.mark.parametrize(
    "nodes",
    [
        "x" * HUGE,
        "0" * HUGE,
        "0," * (HUGE // 2),
        " " * HUGE,
        "é" * HUGE,
        b"0" * HUGE,
        bytearray(HUGE),
        1 << HUGE,
        -1 << HUGE,
        [1 << HUGE],
        [-1 << HUGE],
        [[1 << HUGE]],
        ["0" * HUGE],
        itertools.count(),
    ],
    ids=lambda nodes: type(nodes).__name__,
)
def test_megabytes_are_refused_in_bounds(nodes: Any) -> None:
    memory, message = price(lambda: NodeMask(nodes))
    assert memory < 2 << 20
    assert message < 400


@pytest.mark.parametrize(
    "text",
    ["0" * HUGE, "x" * HUGE, "00000000," * (HUGE // 9), "é" * HUGE],
    ids=lambda text: text[:9],
)
def test_megabytes_of_hexadecimal_are_refused_in_bounds(text: str) -> None:
    memory, message = price(lambda: NodeMask.from_hex(text))
    assert memory < 2 << 20
    assert message < 400


def test_an_endless_iterable_is_left_at_the_first_refusal() -> None:
    numbers = itertools.count()
    with pytest.raises(InvalidNodes):
        NodeMask(numbers)
    assert next(numbers) == LIMIT + 1


class Uncanny:
    """Makes trouble when it is shown."""

    def __repr__(self) -> str:
        raise RuntimeError("not to be shown")


def test_what_cannot_be_shown() -> None:
    with pytest.raises(InvalidType, match="Uncanny"):
        NodeMask(Uncanny())  # type: ignore[arg-type]


def test_errors_of_an_iterable_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        NodeMask(1 // number for number in (1, 0))


@pytest.mark.parametrize("bits", [True, 1.0, "1", b"1", None, [1]], ids=repr)
def test_no_bits(bits: Any) -> None:
    with pytest.raises(InvalidType) as refusal:
        NodeMask.from_bits(bits)
    assert repr(bits) in str(refusal.value)


@pytest.mark.parametrize("bits", [-1, 1 << LIMIT, -1 << HUGE, 1 << HUGE], ids=int.bit_length)
def test_bits_out_of_range(bits: int) -> None:
    with pytest.raises(InvalidNodes) as refusal:
        NodeMask.from_bits(bits)
    assert refusal.value.value == bits
    assert len(str(refusal.value)) < 200
    assert NodeMask.from_bits((1 << LIMIT) - 1).highest == LIMIT - 1


@pytest.mark.parametrize("words", [None, 8, "00000000", [0] * 8], ids=repr)
def test_no_words(words: Any) -> None:
    with pytest.raises(InvalidType) as refusal:
        NodeMask.from_words(words)
    assert repr(words) in str(refusal.value)


@pytest.mark.parametrize("size", [1, 4, 7, 9, 4095, 4097, 4104, HUGE])
def test_words_of_another_size(size: int) -> None:
    with pytest.raises(InvalidNodes, match=f"{size} bytes"):
        NodeMask.from_words(b"\xff" * size)
    assert NodeMask.from_words(b"\xff" * 4096).highest == LIMIT - 1


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        (" \n", 2),
        (",", 0),
        ("x", 0),
        ("0x1", 0),
        ("-1", 0),
        ("+1", 0),
        ("1_0", 0),
        ("\u0661", 0),
        ("0\0", 0),
        ("000000001", 0),
        ("1,0", 2),
        ("1,", 2),
        ("1,,00000000", 2),
        (" 1,0000000g", 3),
        ("1, 0000000", 2),
        ("00000000,00000000 00000000", 9),
    ],
)
def test_no_hexadecimal(text: str, position: int) -> None:
    with pytest.raises(InvalidNodes, match=f"position {position}, ") as refusal:
        NodeMask.from_hex(text)
    assert (refusal.value.value, refusal.value.position) == (text, position)
    assert ascii(text)[1:-1] in ascii(str(refusal.value)).replace("\\\\", "\\")


def test_hexadecimal_out_of_range() -> None:
    highest = "80000000" + ",00000000" * (LIMIT // 32 - 1)
    assert list(NodeMask.from_hex(highest)) == [LIMIT - 1]
    assert list(NodeMask.from_hex("00000000," + highest)) == [LIMIT - 1]
    with pytest.raises(InvalidNodes, match=r"^hexadecimal mask '1,00000000"):
        NodeMask.from_hex("1,00000000" + ",00000000" * (LIMIT // 32 - 1))


@pytest.mark.parametrize("text", [None, 0, b"1", bytearray(b"1"), ["1"]], ids=repr)
def test_hexadecimal_of_another_type(text: Any) -> None:
    with pytest.raises(InvalidType) as refusal:
        NodeMask.from_hex(text)
    assert repr(text) in str(refusal.value)


@given(st.one_of(scribbles(), st.text("0123456789abcdefABCDEF, \n", max_size=40)))
def test_any_text_as_hexadecimal(text: str) -> None:
    if HEXADECIMAL.fullmatch(text.strip()):
        assert NodeMask.from_hex(text).to_bits() == int(text.strip().replace(",", ""), 16)
        return
    with pytest.raises(InvalidNodes) as refusal:
        NodeMask.from_hex(text)
    assert refusal.value.value == text
    assert refusal.value.position in range(len(text) + 1)
