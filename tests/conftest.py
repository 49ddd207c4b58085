"""What every test has: the flag that rewrites golden files, a Hypothesis profile for a shared machine, Ctrl-C."""

from __future__ import annotations

import gc
import os
import signal
import zlib

import pytest
from hypothesis import settings

# Derandomized: a run of the suite says something about the code, not about its luck. No deadline: the
# cores are shared with whatever else runs.
settings.register_profile("lab", deadline=None, derandomize=True, database=None)
settings.load_profile("lab")

# A shell without job control has what it runs in the background ignore Ctrl-C, and whoever is started there inherits
# that (POSIX.1-2017, 2.11 Signals and Error Handling). Our tests send it, and what they start has to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_GROUPS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write golden files instead of comparing with them.")
    parser.addoption(
        "--garbage-inputs", type=int, default=100, help="How many inputs each test of tests/unit/garbage makes."
    )
    parser.addoption(
        "--garbage-seed", help="Make those inputs of random bytes of this seed: faster, and none is kept in memory."
    )
    parser.addoption("--kill-rounds", type=int, default=1, help="How often tests/lab kills each side of every pair.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side: files in groups by chance, so that those that wait run beside those that compute."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, bool, str]:
    """A group's conformance tests stay together, as they share an IPC namespace; they begin every second group."""
    file = item.location[0]
    group = zlib.crc32(file.encode()) % _GROUPS
    return group, file.startswith("tests/conformance") == bool(group % 2), file


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the garbage collector need not look at them again and again."""
    gc.freeze()


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Is this run to write the golden files?"""
    return bool(request.config.getoption("--update-golden"))
