"""Sizes and times as people type them."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate.cli.quantities import duration, size, workers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("512B", 512),
        ("1.5K", 1536),
        ("1k", 1024),
        ("500M", 500 * 1024**2),
        ("500m", 500 * 1024**2),
        ("500MiB", 500 * 1024**2),
        ("500 mib", 500 * 1024**2),
        ("500MB", 500e6),
        ("2g", 2 * 1024**3),
        ("2GiB", 2 * 1024**3),
        ("2GB", 2e9),
        ("1T", 1024**4),
        ("1e9", 1e9),
        (".5K", 512),
    ],
)
def test_sizes(text: str, expected: float) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500us", 5e-4), ("5ms", 5e-3), ("0.5s", 0.5), ("1", 1), ("2min", 120), ("1.5 min", 90)],
)
def test_times(text: str, expected: float) -> None:
    assert duration(text) == pytest.approx(expected)


@given(st.text(max_size=80))
def test_what_is_refused_is_told_as_it_was_typed(text: str) -> None:
    for read in (size, duration, workers):
        value, refusal = 1.0, f"{text[:40]!r} is no "
        try:
            value = read(text)
        except ArgumentTypeError as error:
            refusal = str(error)
        assert 0 < value < float("inf")
        assert refusal.startswith(f"{text[:40]!r} is no ")


@pytest.mark.parametrize(
    "text", ["", "M", "5MM", "5 5", "1_000", "-1", "0", "nan", "inf", "\u0661"]
)
def test_no_quantities(text: str) -> None:
    for read in (size, duration, workers):
        with pytest.raises(ArgumentTypeError):
            read(text)
