"""Numbers as Grafana writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labpage.panels import units


# As Grafana 12's getValueFormat(unit)(value, decimals) gives them; the sources are named in units.py.
@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0, "s", None, "0 s"),
        (0.000123, "s", None, "123 µs"),
        (0.00012345, "s", None, "123 µs"),
        (0.0012345, "s", 2, "1.23 ms"),
        (5e-7, "s", None, "500 ns"),
        (0.5, "s", None, "500 ms"),
        (12.345, "s", None, "12.3 s"),
        (90, "s", None, "1.50 mins"),
        (7200, "s", None, "2 hours"),
        (1234, "µs", 0, "1 ms"),
        (187.4, "µs", 0, "187 µs"),
        (65536, "bytes", None, "64 KiB"),
        (67108864, "bytes", None, "64 MiB"),
        (1536, "binBps", None, "1.50 KiB/s"),
        (0.123, "percentunit", None, "12.3%"),
        (1, "percentunit", None, "100%"),
        (2150.4, "suffix: msg/s", None, "2150 msg/s"),
        (11, "suffix: of 11", None, "11 of 11"),
        (0.5, "none", None, "0.500"),
        (2.5, "none", 0, "3"),
        (-0.4, "none", 0, "0"),
        (math.nan, "none", None, "NaN"),
        (math.inf, "s", None, "∞ years"),
    ],
)
def test_a_value_is_written_as_grafana_does(value: float, unit: str, decimals: int | None, text: str) -> None:
    assert units.shown(value, unit, decimals) == text


@given(st.floats(min_value=1e-9, max_value=1e9), st.sampled_from(["s", "µs", "bytes", "binBps", "percentunit", "none"]))
def test_a_text_says_the_value_to_one_in_a_hundred(value: float, unit: str) -> None:
    text = units.shown(value, unit)
    sizes = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "mins": 60, "hours": 3600, "days": 86400, "weeks": 604800}
    sizes |= {"years": 31556900, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    if unit == "percentunit":
        read = float(text.removesuffix("%")) / 100
    else:
        number, _, name = text.partition(" ")
        read = float(number) * sizes.get(name.removesuffix("/s"), 1) / (1e-6 if unit == "µs" else 1)
    assert read == pytest.approx(value, rel=0.06)


@given(st.floats(min_value=0, max_value=4e9))
def test_the_age_of_a_moment_is_in_its_largest_unit(seconds: float) -> None:
    words = {name: "{count} " + name for name in ("s", "min", "h", "d", "wk", "mo", "y")}
    count, unit = units.ago(seconds, words).split()
    length = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800, "mo": 2628000, "y": 31536000}[unit]
    assert int(count) * length <= seconds < (int(count) + 1) * length or seconds < 1
