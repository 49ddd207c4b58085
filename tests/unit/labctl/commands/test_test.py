"""`./lab test` runs every test once."""

from __future__ import annotations

from labctl.commands import test
from labctl.config.paths import ROOT


def test_every_test_belongs_to_one_part() -> None:
    parts = [ROOT / part for part in (*test.WITHOUT_CONTAINERS, test.WITH_CONTAINERS)]
    files = list((ROOT / "tests").rglob("test_*.py"))
    assert files
    for file in files:
        assert sum(file.is_relative_to(part) for part in parts) == 1, file
