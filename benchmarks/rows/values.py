"""Node lists and masks, against what plain Python does in the fewest words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pairs
from compiled import Peers
from row import SPEED, TIME, Row

from pymigrate import NodeMask

_PAIRS = 300
_MASKS = 500  # enough to be timed where each may be used only once

_ONE_RANGE = "0-3"
_RANGES = ",".join(f"{first}-{first + 1}" for first in range(0, 1024, 4))


def parse(text: str) -> int:
    """The shortest parser of node lists in Python: a bit for each node."""
    bits = 0
    for region in text.split(","):
        first, _, last = region.partition("-")
        bits |= (2 << int(last or first)) - (1 << int(first))
    return bits


def rows(peers: Peers) -> Iterator[Row]:
    """Text to mask, and mask to words."""
    for text in (_ONE_RANGE, _RANGES):
        assert NodeMask(text).to_bits() == parse(text)
    yield Row("NodeMask('0-3')", _PARSER, TIME, _parsing(_ONE_RANGE, 1000), 1.3)
    faster = [1 / ratio for ratio in _parsing(_RANGES, 5)]
    yield Row("NodeMask of 256 ranges", _PARSER, SPEED, faster, 20)
    for bits in (4, 1024, 32768):
        for again in (True, False):
            name = f"to_words() of {bits:,} nodes, {'again' if again else 'for the first time'}"
            yield Row(name, "int.to_bytes", TIME, _converting(bits, again), 1.5)


_PARSER = "shortest Python parser"


def _parsing(text: str, times: int) -> Sequence[float]:
    names = {**globals(), "text": text}
    ours = pairs.repeated("NodeMask(text)", times, names)
    return pairs.times(ours, pairs.repeated("parse(text)", times, names), _PAIRS)


def _converting(nodes: int, again: bool) -> Sequence[float]:
    bits = (1 << nodes) - 1
    size = -(-nodes // 64) * 8
    mask = NodeMask.from_bits(bits)
    assert mask.to_words() == bits.to_bytes(size, "little")

    def ours() -> float:
        masks = [mask] * _MASKS if again else [NodeMask.from_bits(bits) for _ in range(_MASKS)]
        return pairs.repeated("for mask in masks: mask.to_words()", 1, {"masks": masks})()

    numbers = [bits] * _MASKS
    names = {"numbers": numbers, "size": size}
    peer = pairs.repeated("for bits in numbers: bits.to_bytes(size, 'little')", 1, names)
    return pairs.times(ours, peer, _PAIRS)
