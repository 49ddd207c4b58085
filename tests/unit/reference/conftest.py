"""The C reference, compiled once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import reference


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs."""
    if not reference.HAS_COMPILER:
        pytest.skip(f"no C compiler here ({reference.COMPILER})")
    return reference.compile_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    reference.clear()
