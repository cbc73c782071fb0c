"""What tests on the machine with several nodes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.kinds import setting


@pytest.fixture
def calm() -> Iterator[None]:
    """The kernel makes no huge pages out of small ones by itself: that changes residency."""
    with setting("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"):
        yield
