"""How hypothesis runs here: a slow machine, an emulated one above all, is no failure.

``--hypothesis-profile=emulated`` makes do with few examples.
"""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("emulated", parent=settings.get_profile("unit"), max_examples=10)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the profile, unless the command line does."""
    settings.load_profile(config.getoption("--hypothesis-profile") or "unit")
