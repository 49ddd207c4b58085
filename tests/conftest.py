"""What every test has: the flag that rewrites golden files, and a Hypothesis profile for a shared machine."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Derandomized: a run of the suite says something about the code, not about its luck. No deadline: the
# cores are shared with whatever else runs.
settings.register_profile("lab", deadline=None, derandomize=True, database=None)
settings.load_profile("lab")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write golden files instead of comparing with them.")
    parser.addoption("--kill-rounds", type=int, default=1, help="How often tests/lab kills each side of every pair.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Is this run to write the golden files?"""
    return bool(request.config.getoption("--update-golden"))
