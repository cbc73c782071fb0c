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


def words(bits: int) -> bytes:
    """The shortest writer of them: whole words, as many as the highest node needs."""
    return bits.to_bytes((bits.bit_length() + 63) // 64 * 8, "little")


def rows(_: Peers) -> Iterator[Row]:
    """Text to mask, and mask to words."""
    for text in (_ONE_RANGE, _RANGES):
        assert NodeMask(text).to_bits() == parse(text)
    yield Row("NodeMask('0-3')", _PARSER, TIME, _parsing(_ONE_RANGE, 1000), 1.3)
    faster = [1 / ratio for ratio in _parsing(_RANGES, 5)]
    yield Row("NodeMask of 256 ranges", _PARSER, SPEED, faster, 20)
    for nodes in (4, 1024, 32768):
        mask = NodeMask.from_bits((1 << nodes) - 1)
        assert mask.to_words() == words(mask.to_bits())
        name = f"to_words() of {nodes:,} nodes"
        for peer, expression in _WRITERS.items():
            yield Row(name, peer, TIME, _converting(mask, expression, again=False), 1.5)
        ratios = _converting(mask, _WRITERS[_KNOWN], again=True)
        yield Row(f"{name}, again", _KNOWN, TIME, ratios, 1.5)


_PARSER = "shortest Python parser"
_KNOWN = "int.to_bytes, size known"
_WRITERS = {_KNOWN: "item.to_bytes(size, 'little')", "shortest Python function": "words(item)"}


def _parsing(text: str, times: int) -> Sequence[float]:
    names = {**globals(), "text": text}
    ours = pairs.repeated("NodeMask(text)", times, names)
    return pairs.times(ours, pairs.repeated("parse(text)", times, names), _PAIRS)


def _converting(mask: NodeMask, peer: str, *, again: bool) -> Sequence[float]:
    """A mask keeps its words, so each serves once; and the peer's are kept as well."""
    bits = mask.to_bits()
    names = {"words": words, "size": len(mask.to_words())}

    def run(expression: str, items: Sequence[object]) -> float:
        kept = f"kept = [{expression} for item in items]"
        return pairs.repeated(kept, 1, {**names, "items": items})()

    def ours() -> float:
        masks = [mask if again else NodeMask.from_bits(bits) for _ in range(_MASKS)]
        return run("item.to_words()", masks)

    return pairs.times(ours, lambda: run(peer, [bits] * _MASKS), _PAIRS)
