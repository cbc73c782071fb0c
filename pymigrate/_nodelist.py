"""Node list text to bits and back: the C parser, with its refusals turned into errors.

The grammar is in ``csrc/nodelist.h``. Bits are a Python int in which node n is bit n.
"""

from __future__ import annotations

from pymigrate._native import ffi, lib
from pymigrate.errors import InvalidNodes, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# No set of nodes needs more: all 16,384 even nodes, each written by itself, take 89,000 characters.
_TEXT_MAX = 131_072

_BITMAP = ffi.typeof("uint8_t[]")
_TEXT = ffi.typeof("char[]")
_OFFSET = ffi.typeof("size_t[1]")

_REFUSALS = {
    lib.PM_LIST_EMPTY: "it is empty; write nodes as '0-3,8'",
    lib.PM_LIST_NO_NUMBER: "a node number has to stand here",
    lib.PM_LIST_TRAILING: "a comma or the end has to stand here",
    lib.PM_LIST_TOO_LARGE: f"nodes go up to {lib.PM_NODES_MAX - 1}",
    lib.PM_LIST_REVERSED: "the range ends before it starts; write the lower node first",
    lib.PM_LIST_GROUP: "a group is ':used/size' with 1 <= used <= size",
    lib.PM_LIST_RANK: "'+' counts within the cpuset of the caller, which has fewer nodes",
}


def parse(text: str, allowed: Callable[[], int]) -> int:
    """Bits of a node list.

    Args:
        text: A node list.
        allowed: Called for the bits of the caller's allowed nodes if the text refers to them.

    Raises:
        InvalidNodes: The text is not a node list.
    """
    if len(text) > _TEXT_MAX:
        raise InvalidNodes(
            f"node list {quote(text)} has {len(text)} characters; {_TEXT_MAX} are the most", text
        )
    # Every character that is not ASCII becomes one '?', so that positions stay true.
    raw = text.encode("ascii", "replace")
    bitmap = ffi.new(_BITMAP, lib.PM_BITMAP_MAX)
    where = ffi.new(_OFFSET)
    size = lib.pm_nodelist_parse(raw, len(raw), ffi.NULL, 0, bitmap, where)
    if size == -lib.PM_LIST_NEEDS_ALLOWED:
        base = to_bitmap(allowed())
        size = lib.pm_nodelist_parse(raw, len(raw), base, len(base), bitmap, where)
    if size < 0:
        raise _refusal(text, where[0], -size)
    return int.from_bytes(ffi.buffer(bitmap, size), "little")


def _refusal(text: str, position: int, why: int) -> InvalidNodes:
    found = quote(text[position : position + 12]) if position < len(text) else "the end"
    message = f"node list {quote(text)}, position {position}, at {found}: {_REFUSALS[why]}"
    return InvalidNodes(message, text, position)


def render(bits: int) -> str:
    """The node list of bits: ``'0-3,8'``, and ``''`` for no nodes."""
    bitmap = to_bitmap(bits)
    text = ffi.new(_TEXT, lib.pm_nodelist_length_max(len(bitmap)))
    length = lib.pm_nodelist_format(bitmap, len(bitmap), text)
    return bytes(ffi.buffer(text, length)).decode("ascii")


def to_bitmap(bits: int) -> bytes:
    """Bits as the bitmap that the shim takes: node n is bit n % 8 of byte n // 8."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")
