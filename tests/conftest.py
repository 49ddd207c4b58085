"""What every test has: the flag that rewrites golden files, a Hypothesis profile for a shared machine, Ctrl-C."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# Derandomized: a run of the suite says something about the code, not about its luck. No deadline: the
# cores are shared with whatever else runs.
settings.register_profile("lab", deadline=None, derandomize=True, database=None)
settings.load_profile("lab")

# A shell without job control has what it runs in the background ignore Ctrl-C, and whoever is started there inherits
# that (POSIX.1-2017, 2.11 Signals and Error Handling). Our tests send it, and what they start has to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write golden files instead of comparing with them.")
    parser.addoption(
        "--garbage-inputs", type=int, default=100, help="How many inputs each test of tests/unit/garbage makes."
    )
    parser.addoption(
        "--garbage-seed", help="Make those inputs of random bytes of this seed: faster, and none is kept in memory."
    )
    parser.addoption("--kill-rounds", type=int, default=1, help="How often tests/lab kills each side of every pair.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Is this run to write the golden files?"""
    return bool(request.config.getoption("--update-golden"))
