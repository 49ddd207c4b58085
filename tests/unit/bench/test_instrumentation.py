"""A figure that looks wrong is explained by what was measured beside it."""

from __future__ import annotations

import pytest

from bench.instrumentation import Comparison, Run, lines_of


def comparison(ratios: list[float], sleeps: tuple[float, float] = (0.1, 0.1)) -> Comparison:
    return Comparison([Run(1000, sleeps[0]) for _ in ratios], [Run(1000 * ratio, sleeps[1]) for ratio in ratios])


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (comparison([0.8, 0.85, 0.9]), ""),
        (comparison([0.8, 0.85, 1.1]), "some pairs are over 1"),
        (comparison([1.2, 1.26, 1.3]), "over 1: measuring makes no loop faster; pairs of runs differ"),
        (
            comparison([1.2, 1.26, 1.3], (0.5, 0.2)),
            "over 1: measuring makes no loop faster; a loop that is a little slower",
        ),
    ],
)
def test_a_ratio_over_one_is_explained(found: Comparison, says: str) -> None:
    first, sleeps, *rest = lines_of("sysv_shm", found)
    assert f"ratio {found.ratio:.2f} (medians of 3 pairs of runs, {min(found.ratios):.2f} to" in first
    assert "sleeps per message" in sleeps
    assert len(rest) == bool(says)
    assert says in "".join(rest)
