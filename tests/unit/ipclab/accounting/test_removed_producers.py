"""A producer counts for those that were removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipclab.accounting import removed_producers
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample

SAMPLES = [Sample(metrics.SENT, 5), Sample(metrics.SKIPPED, 1), Sample(metrics.LOAD_RATE, 200)]


def values(path: Path) -> list[object]:
    return [sample.value for sample in removed_producers.with_removed_producers(SAMPLES, path)]


def test_counts_for_all_that_are_gone_and_changes_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / removed_producers.FILE
    assert values(path) == [5, 1, 200]
    path.write_text('{"7": [100, 3], "8": [20, 0]}')
    assert values(path) == [125, 4, 200]


@pytest.mark.parametrize("content", ["", "[]", '{"7": 5}', '{"7": [1]}', '{"x": [1, 2]}', "null", "[" * 10_000])
def test_half_a_file_counts_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / removed_producers.FILE
    path.write_text(content)
    assert values(path) == [5, 1, 200]
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words differ
        removed_producers.parse(content.encode())
