from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.experiments.speedup import results


@given(fraction=st.floats(0, 1), workers=st.integers(2, 16))
def test_what_amdahl_predicts_is_read_back(fraction: float, workers: int) -> None:
    predicted = 1 / ((1 - fraction) + fraction / workers)
    assert results.parallel_fraction_of(predicted, workers) == pytest.approx(fraction, abs=1e-9)


@pytest.mark.parametrize(
    ("speedup", "workers", "fraction"),
    [
        (2.0, 2, 1.0),
        (1.0, 2, 0.0),
        (1.6, 2, 0.75),
        (0.5, 2, -2.0),  # cooperating cost more than it brought
        (4.0, 2, 1.5),  # more than linear
        (1.0, 1, None),
    ],
)
def test_known_values(speedup: float, workers: int, fraction: float | None) -> None:
    assert results.parallel_fraction_of(speedup, workers) == (None if fraction is None else pytest.approx(fraction))


def test_speedup_and_efficiency() -> None:
    assert results.speedup_of(3.0, 2.0) == 1.5
    assert results.efficiency_of(1.5, 2) == 0.75
