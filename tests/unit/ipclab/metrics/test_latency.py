from __future__ import annotations

import math
import random

from hypothesis import example, given
from hypothesis import strategies as st

from ipclab.metrics.definitions import Buckets
from ipclab.metrics.histogram import SIZE, Histogram, bucket, upper_bound_ns

LAST_BEGINS_NS = 7 << 34  # 2**36 * 7 / 4


def lower_bound_ns(index: int) -> float:
    return 0 if index == 0 else upper_bound_ns(index - 1)


def quantile(samples: list[int], q: float) -> int:
    """The exact one: the smallest sample that at least this share of the samples does not exceed."""
    return sorted(samples)[max(math.ceil(q * len(samples)) - 1, 0)]


def test_the_buckets_follow_each_other_without_gap_or_overlap() -> None:
    for index in range(SIZE - 1):
        bound = upper_bound_ns(index)
        assert bound == int(bound)
        assert bound > lower_bound_ns(index)
        assert bucket(int(bound) - 1) == index
        assert bucket(int(bound)) == index + 1
    assert upper_bound_ns(SIZE - 1) == math.inf


def test_a_bucket_is_at_most_a_quarter_as_wide_as_where_it_begins() -> None:
    for index in range(4, SIZE - 1):
        assert upper_bound_ns(index) <= 1.25 * lower_bound_ns(index)
    for index in range(4):  # below 4 ns, where a clock of whole nanoseconds can do no better
        assert upper_bound_ns(index) - lower_bound_ns(index) == 1


@given(st.integers(-(2**63), 2**63))
@example(-1)
@example(0)
@example(LAST_BEGINS_NS - 1)
@example(LAST_BEGINS_NS)
def test_every_duration_has_its_bucket(nanoseconds: int) -> None:
    index = bucket(nanoseconds)
    assert 0 <= index < SIZE
    assert lower_bound_ns(index) <= max(nanoseconds, 0) < upper_bound_ns(index)


def test_a_negative_duration_counts_as_zero() -> None:
    histogram = Histogram()
    histogram.record(1000)
    histogram.record(-5_000_000)
    assert histogram.sum_ns == 1000
    assert {n: count for n, count in enumerate(histogram.counts) if count} == {0: 1, bucket(1000): 1}


def test_the_last_bucket_begins_at_two_minutes() -> None:
    assert bucket(LAST_BEGINS_NS) == SIZE - 1
    assert bucket(LAST_BEGINS_NS - 1) == SIZE - 2
    assert 120 <= LAST_BEGINS_NS / 1e9 < 121


def cumulative(histogram: Histogram, first_ns: int, last_ns: int) -> list[tuple[float, int]]:
    """Pairs of upper bound in seconds and samples below it, as the page has them; the last pair is at infinity."""
    buckets = Buckets(first_ns, last_ns, 1)
    return list(zip((*buckets.bounds_seconds, math.inf), histogram.below(buckets.ends), strict=True))


def read_quantile(pairs: list[tuple[float, int]], q: float) -> float:
    rank = max(math.ceil(q * pairs[-1][1]), 1)
    return next(bound for bound, below in pairs if below >= rank)


@given(
    samples=st.lists(st.integers(4, 10**11), min_size=1, max_size=200),
    q=st.sampled_from([0, 0.01, 0.5, 0.9, 0.99, 0.999, 1]),
)
def test_a_quantile_is_never_too_low_and_at_most_a_quarter_too_high(samples: list[int], q: float) -> None:
    histogram = Histogram()
    for sample in samples:
        histogram.record(sample)
    found = read_quantile(cumulative(histogram, 1, 1 << 40), q) * 1e9
    exact = quantile(samples, q)
    assert exact < found * (1 + 1e-9)
    assert found <= 1.25 * exact * (1 + 1e-9)


def test_quantiles_of_a_hundred_thousand_latencies() -> None:
    chance = random.Random(1)
    samples = [int(chance.lognormvariate(11, 1)) for _ in range(100_000)]
    histogram = Histogram()
    for sample in samples:
        histogram.record(sample)
    for q in (0.5, 0.99, 0.999):
        assert 1 < read_quantile(cumulative(histogram, 1, 1 << 40), q) * 1e9 / quantile(samples, q) <= 1.25
    assert histogram.sum_ns == sum(samples)


@given(
    samples=st.lists(st.integers(0, 2**40), max_size=100),
    first=st.integers(1, 2**38),
    last=st.integers(1, 2**38),
)
def test_cumulative_counts_rise_and_count_what_is_below(samples: list[int], first: int, last: int) -> None:
    histogram = Histogram()
    for sample in samples:
        histogram.record(sample)
    pairs = cumulative(histogram, first, last)
    bounds = [bound for bound, _ in pairs]
    assert bounds == sorted(set(bounds))
    assert pairs[-1] == (math.inf, len(samples))
    for bound, below in pairs[:-1]:
        bound_ns = round(bound * 1e9)
        assert first <= bound_ns <= last
        assert below == sum(1 for sample in samples if sample < bound_ns)


def test_what_prometheus_gets_has_four_bounds_an_octave_and_both_ends() -> None:
    pairs = cumulative(Histogram(), 1 << 10, 1 << 34)
    assert len(pairs) == 4 * 24 + 1 + 1
    assert (pairs[0][0], pairs[-2][0]) == ((1 << 10) / 1e9, (1 << 34) / 1e9)
