"""What is wished for a job: refused before it is sent to any host, and the same after it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate import InvalidArgument, InvalidNodes, InvalidType, NodeMask
from pymigrate._checks import SECONDS_MAX
from pymigrate.cli.quantities import duration, size
from pymigrate.launchers.rules import Rule
from pymigrate.launchers.wish import Wish


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"action": "dance"}, "one of migrate, evict, check, check-eviction, show"),
        ({"action": ["check"]}, "one of migrate"),
        ({}, "name the nodes OLD and NEW"),
        ({"new": "1"}, "only a rule such as home"),
        ({"old": "0", "new": "nowhere"}, "nowhere"),
        ({"old": "0-", "new": "1"}, "0-"),
        ({"action": "show", "old": "0", "new": "1"}, "leave OLD and NEW out"),
        ({"action": "evict", "old": "0", "new": "home"}, "not rules"),
        ({"action": "evict", "new": "1"}, "takes the nodes OLD"),
        ({"action": "check-eviction", "old": "0", "new": "home"}, "not rules"),
        ({"action": "evict", "old": 0, "new": 1, "shared": True}, "shared True: .* migrations"),
        ({"action": "show", "shared": False}, "shared False: .* migrations"),
        ({"action": "show", "rate": 5e6}, "rate 5000000.0: .* moves nothing; leave it out"),
        ({"action": "show", "max_stall": 1}, "max_stall 1: .* moves nothing; leave it out"),
        ({"old": "0", "new": "lokal"}, "'lokal' .* home, local, cpuset, gpu or device:NAME"),
        ({"new": "homme"}, "'homme' .* home, local, cpuset, gpu or device:NAME"),
        ({"old": "Home", "new": 1}, "'Home' .* home, local, cpuset, gpu or device:NAME"),
        ({"new": "device:"}, "'device:' .* device:ib0"),
    ],
)
def test_wishes_that_make_no_sense(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        Wish(**wish)


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (0, 1, ("0", "1")),
        ([0, 1], NodeMask("2-3"), ("0-1", "2-3")),
        ("0-1", "2,3", ("0-1", "2,3")),
        (None, "home", (None, "home")),
        ("0", "device:ib0", ("0", "device:ib0")),
        ("local", 3, ("local", "3")),
        ("all", "0", ("all", "0")),  # the nodes of each host, not of this one
    ],
)
def test_nodes_become_text_that_hosts_understand(
    old: Any, new: Any, texts: tuple[str | None, str]
) -> None:
    wish = Wish("migrate", old, new)
    assert (wish.old, wish.new) == texts
    assert wish == Wish("migrate", *texts)


@pytest.mark.parametrize(
    ("arguments", "named", "kind"),
    [
        ((0, "x"), {}, InvalidNodes),
        ((0, []), {}, InvalidNodes),
        ((0, None), {}, InvalidArgument),
        ((None, 1), {}, InvalidArgument),
        ((0, {1: 2}), {}, InvalidType),
        ((True, 1), {}, InvalidType),
        ((0, 1), {"shared": 1}, InvalidType),
        ((0, 1), {"rate": 0}, InvalidArgument),
        ((0, 1), {"max_stall": -1}, InvalidArgument),
        ((0, 1), {"rate": "1G"}, InvalidType),
        ((0, 1), {"rate": 1e-300}, InvalidArgument),
        ((0, 1), {"max_stall": 1e300}, InvalidArgument),
        ((0, 1), {"workers": 0}, InvalidArgument),
        ((0, 1), {"workers": "4"}, InvalidType),
        ((0, 1), {"without_swap": True}, InvalidArgument),
        ((0, 1.5), {}, InvalidType),
    ],
)
def test_arguments_are_refused_as_elsewhere(
    arguments: tuple[Any, Any], named: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        Wish("migrate", *arguments, **named)


@pytest.mark.parametrize(
    ("wish", "arguments"),
    [
        (Wish(old="0", new="1"), "0 1 --workers 2"),
        (Wish(new="home", workers=4), "home --workers 4"),
        (Wish("show"), "--show"),
        (Wish("evict", {1, 0}, (), without_swap=True), "0-1 --evict --without-swap --workers 2"),
        (Wish("check-eviction", 0, "!0"), "0 !0 --check --evict --workers 2"),
        (
            Wish("check", "0", "device:ib0", shared=False, rate=2.5e9, max_stall=0.005),
            "0 device:ib0 --check --no-shared --rate 2500000000.0 --max-stall 0.005s --workers 2",
        ),
    ],
)
def test_as_arguments(wish: Wish, arguments: str) -> None:
    assert " ".join(wish.arguments()) == arguments


@given(st.floats(1, 1e300), st.floats(5e-324, SECONDS_MAX))
def test_bounds_arrive_as_they_were_given(rate: float, max_stall: float) -> None:
    words = Wish(old=0, new=1, rate=rate, max_stall=max_stall).arguments()
    assert size(words[words.index("--rate") + 1]) == rate
    assert duration(words[words.index("--max-stall") + 1]) == max_stall


@pytest.mark.parametrize(
    ("old", "new", "by_rule"),
    [("0", "1", False), ("0", "home", True), (None, "local", True), ("device:eth0", "1", True)],
)
def test_rules_are_told_from_lists(old: str | None, new: str, by_rule: bool) -> None:
    assert Wish(old=old, new=new).by_rule is by_rule


def test_a_list_of_this_host() -> None:
    assert str(Rule("0-2").nodes()) == "0-2"
    assert not Rule("cpuset").is_list
