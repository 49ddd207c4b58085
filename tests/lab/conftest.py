"""The stack of the tests: brought up once, taken down at the end, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.stack import Stack
from labctl.config import compose_file


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running lab of all pairs."""
    lab = Stack("ipclabtest")
    lab.lab("down")  # what an interrupted run may have left; without an engine there is nothing
    up = lab.lab("up", within_s=900)
    try:
        assert up.returncode == 0, f"./lab up failed:\n{up.stdout}\n{up.stderr}"
        yield lab
    finally:
        lab.lab("down")


@pytest.fixture(params=compose_file.declared())
def mechanism(request: pytest.FixtureRequest, stack: Stack) -> str:
    """Every pair of the lab, moving messages."""
    name: str = request.param
    stack.wait_for_traffic(name)
    return name
