"""A migration takes any wish that makes sense: it measures first how long a call takes."""

from __future__ import annotations

from typing import Any

import pytest

from pymigrate import Migration
from pymigrate._checks import SECONDS_MAX


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", value) for value in (1, 10**300, 1.7e308)]
    + [("max_stall", value) for value in (1e-300, 1e-9, 1, SECONDS_MAX)],
)
def test_absurd_but_possible(name: str, value: float) -> None:
    wishes: dict[str, Any] = {name: value}
    Migration(0, moves={0: 0}, **wishes)
