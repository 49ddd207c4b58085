"""How many inputs a test of garbage gets: few in each run of the suite, `--garbage-inputs 100000` by hand.

With `--garbage-seed` Hypothesis takes its choices from random bytes, as it does for a fuzzer (`fuzz_one_input`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from support.garbage import Garbage

_CHOICES_BYTES = 4096  # more than the choices of most inputs; an input that needs more is none


@pytest.fixture
def garbage(request: pytest.FixtureRequest) -> Garbage:
    """`garbage(strategy, reader)`: the reader returns for every input of the strategy; what it may raise it catches."""
    inputs = int(request.config.getoption("--garbage-inputs"))
    seed = request.config.getoption("--garbage-seed")

    def check(strategy: SearchStrategy[Any], reader: Callable[[Any], None]) -> None:
        read = 0

        @settings(max_examples=inputs, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def every_input_is_read(given_input: Any) -> None:
            nonlocal read
            read += 1
            try:
                reader(given_input)
            except BaseException as error:
                error.add_note(f"input {read}: {given_input!r}")
                raise

        began = time.process_time()
        if seed is None:
            every_input_is_read()
            assert read >= min(inputs, 100)
        else:
            read_choices = cast(Any, every_input_is_read).hypothesis.fuzz_one_input
            chance = Random(f"{seed}/{request.node.name}")
            while read < inputs:
                read_choices(chance.randbytes(_CHOICES_BYTES))
        print(f"{read} inputs in {time.process_time() - began:.1f} s of CPU")

    return check


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A file in memory: a hundred thousand writes would wear a disk."""
    with TemporaryDirectory(prefix="ipclab-garbage-", dir="/dev/shm") as folder:
        yield Path(folder) / "file"
