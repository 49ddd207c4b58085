"""How many inputs a test of garbage gets: few in each run of the suite, `--garbage-inputs 100000` by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from support.garbage import Garbage


@pytest.fixture
def garbage(request: pytest.FixtureRequest) -> Garbage:
    """`garbage(strategy, reader)`: the reader returns for every input of the strategy; what it may raise it catches."""
    inputs = int(request.config.getoption("--garbage-inputs"))

    def check(strategy: SearchStrategy[Any], reader: Callable[[Any], None]) -> None:
        read = 0

        @settings(max_examples=inputs, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def every_input_is_read(given_input: Any) -> None:
            nonlocal read
            read += 1
            reader(given_input)

        every_input_is_read()
        assert read >= min(inputs, 100)
        print(f"{read} inputs")

    return check


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A file in memory: a hundred thousand writes would wear a disk."""
    with TemporaryDirectory(prefix="ipclab-garbage-", dir="/dev/shm") as folder:
        yield Path(folder) / "file"
