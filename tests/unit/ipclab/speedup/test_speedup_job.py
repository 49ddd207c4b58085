from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.speedup.job import count_primes, split

PRIMES_BELOW_100 = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]


@pytest.mark.parametrize(("limit", "primes"), [(0, 0), (2, 0), (3, 1), (10_000, 1229), (100_000, 9592)])
def test_the_counts_are_the_known_ones(limit: int, primes: int) -> None:
    """https://oeis.org/A006880"""
    assert count_primes(0, limit) == primes


@given(low=st.integers(0, 100), high=st.integers(0, 100))
def test_every_range_counts_its_own(low: int, high: int) -> None:
    assert count_primes(low, high) == len([p for p in PRIMES_BELOW_100 if low <= p < high])


@given(limit=st.integers(1, 3000), chunks=st.integers(1, 200))
def test_a_split_job_covers_every_number_once_in_even_chunks(limit: int, chunks: int) -> None:
    ranges = split(limit, chunks)
    assert len(ranges) == chunks
    assert sorted(n for low, high in ranges for n in range(low, high)) == list(range(limit))
    sizes = {high - low for low, high in ranges}
    assert max(sizes) - min(sizes) <= 1
    assert ranges == sorted(ranges, reverse=True)  # the costliest first
