"""A port passes on everything but its end mark, however the bytes are cut."""

from __future__ import annotations

import itertools

import pytest

from lab.port import Port

MARK = b"\4end"


@pytest.mark.parametrize("content", [b"", b"text", b"\4", b"\4e\4en", b"\4en" * 3])
def test_every_way_to_cut(content: bytes) -> None:
    stream = content + MARK
    for first, second in itertools.combinations(range(len(stream) + 1), 2):
        port = Port(MARK)
        chunks = (stream[:first], stream[first:second], stream[second:])
        assert b"".join(port.feed(chunk) for chunk in chunks if chunk) == content
        assert port.ended


def test_nothing_waits_without_need() -> None:
    port = Port(MARK)
    assert port.feed(b"prompt> ") == b"prompt> "
    assert port.feed(b"\4") == b""
    assert port.feed(b"x") == b"\4x"
    assert not port.ended
