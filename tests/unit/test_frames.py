"""Messages of helpers: cut into lines that survive being mixed, and put together again."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pymigrate.launchers.frames import LONGEST_LINE, Unframer, frames

messages = st.dictionaries(
    st.text(max_size=5), st.one_of(st.text(max_size=3000), st.integers(), st.lists(st.floats(0, 1)))
)


def lines_of(host: str, message: dict[str, Any]) -> list[str]:
    return list(frames(host, message))


@given(messages)
def test_lines_are_short_and_of_one_kind(message: dict[str, Any]) -> None:
    for line in lines_of("host-17.example", message):
        assert len(line.encode()) < LONGEST_LINE
        assert line.isascii()
        assert "\n" not in line


@given(st.lists(messages, min_size=1, max_size=4), st.integers())
def test_however_hosts_take_turns(several: list[dict[str, Any]], seed: int) -> None:
    """Lines of one host stay in order, as engines pass them on; those of others come between."""
    rng = random.Random(seed)
    queues = {f"h{n}": lines_of(f"h{n}", message) for n, message in enumerate(several)}
    unframer = Unframer()
    heard = {}
    while queues:
        host = rng.choice(sorted(queues))
        found = unframer.feed(queues[host].pop(0) + "\n")
        if found:
            heard[found[0]] = found[1]
        if not queues[host]:
            del queues[host]
    assert heard == {f"h{n}": message for n, message in enumerate(several)}


@given(st.text())
def test_what_is_no_message_is_passed_over(noise: str) -> None:
    unframer = Unframer()
    assert unframer.feed(noise) is None
    (line,) = frames("h1", {"progress": [1, 2]})
    assert unframer.feed(line) == ("h1", {"progress": [1, 2]})


def test_what_begins_like_one() -> None:
    unframer = Unframer()
    for line in (
        "pymigrate-host",
        "pymigrate-host h1",
        "pymigrate-host h1 . {",
        "pymigrate-host h1 . 7",
    ):
        assert unframer.feed(line) is None
