"""The stack of the tests: brought up once, taken down at the end, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from docker.errors import DockerException

from lab.harness.stack import PROJECT, Stack, project_of
from labctl.config import compose_file

# These restart the lab's containers, take the lab down, or rebuild its engine's networks, so they run after all
# others, in this order.
_LAST = ("test_states.py", "test_up_again.py", "test_swarm.py", "test_lifecycle.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that disturb the shared lab after all others; sorting is stable."""
    items.sort(key=lambda item: _LAST.index(item.path.name) + 1 if item.path.name in _LAST else 0)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take down what an interrupted process of the tests left running; the process itself was ended by then."""
    for number in range(getattr(session.config.option, "numprocesses", None) or 0):
        stack = Stack(project_of(f"gw{number}"))
        with suppress(DockerException):  # no engine, nothing left
            if stack.leftovers():
                stack.lab("down")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running lab of all pairs."""
    lab = Stack(PROJECT)
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
