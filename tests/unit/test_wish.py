"""What is wished for a job: refused before it is sent to any host, and the same after it was."""

from __future__ import annotations

from typing import Any

import pytest

from pymigrate import InvalidArgument
from pymigrate.launchers.rules import Rule
from pymigrate.launchers.wish import Wish


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"action": "dance"}, "one of migrate, evict, check, show"),
        ({}, "name the nodes OLD and NEW"),
        ({"new": "1"}, "only a rule such as home"),
        ({"old": "0", "new": "nowhere"}, "nowhere"),
        ({"old": "0-", "new": "1"}, "0-"),
        ({"action": "show", "old": "0", "new": "1"}, "leave OLD and NEW out"),
        ({"action": "evict", "old": "0", "new": "home"}, "not rules"),
        ({"action": "evict", "new": "1"}, "name both"),
    ],
)
def test_wishes_that_make_no_sense(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        Wish(**wish)


@pytest.mark.parametrize(
    ("wish", "arguments"),
    [
        (Wish(old="0", new="1"), "0 1 --workers 2"),
        (Wish(new="home", workers=4), "home --workers 4"),
        (Wish("show"), "--show --workers 2"),
        (
            Wish("check", "0", "device:ib0", shared=False, rate=2.5e9, max_stall=0.005),
            "0 device:ib0 --check --no-shared --rate 2500000000"
            " --max-stall 0.005000000s --workers 2",
        ),
    ],
)
def test_as_arguments(wish: Wish, arguments: str) -> None:
    assert " ".join(wish.arguments()) == arguments


@pytest.mark.parametrize(
    ("old", "new", "by_rule"),
    [("0", "1", False), ("0", "home", True), (None, "local", True), ("device:eth0", "1", True)],
)
def test_rules_are_told_from_lists(old: str | None, new: str, by_rule: bool) -> None:
    assert Wish(old=old, new=new).by_rule is by_rule


def test_a_list_of_this_host() -> None:
    assert str(Rule("0-2").nodes()) == "0-2"
    assert not Rule("cpuset").is_list
