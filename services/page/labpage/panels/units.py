"""Numbers with their units, as Grafana writes them: three or four significant digits, and a larger unit where it fits.

Source: packages/grafana-data/src/valueFormats of https://github.com/grafana/grafana (toFixed, getDecimalsForValue,
toSeconds). `static/units.js` does the same for axes and tooltips; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

SUFFIX = "suffix:"
_MOST_PLACES = 20
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_AGO = (
    (31536000.0, "y"),
    (2628000.0, "mo"),
    (604800.0, "wk"),
    (86400.0, "d"),
    (3600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
)


def number(value: float, decimals: int | None = None) -> str:
    """A number without a unit: of `decimals` places, or of as many as it needs to have four significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    places = _places(value) if decimals is None else decimals
    # As JavaScript's Math.round does: halves go up, of negative numbers too.
    rounded = math.floor(value * 10.0**places + 0.5) / 10.0**places
    return f"{rounded + 0.0:.{places}f}"  # + 0.0: no minus before a zero


def shown(value: float, unit: str = "none", decimals: int | None = None) -> str:
    """A value with its unit.

    :raises KeyError: the unit is not one that `UNITS` has
    """
    if unit.startswith(SUFFIX):
        return f"{number(value, decimals)} {unit.removeprefix(SUFFIX).strip()}"
    return UNITS[unit](value, decimals)


def known(unit: str) -> bool:
    """Whether `shown` can write it."""
    return unit.startswith(SUFFIX) or unit in UNITS or unit in (TEXT, FROM_NOW)


def ago(seconds: float, words: Mapping[str, str]) -> str:
    """How long a moment is ago, by the words of a language: `ago.s`, `ago.min`, … with {count}."""
    for length, name in _AGO:
        if abs(seconds) >= length or name == "s":
            return words[name].format(count=math.floor(abs(seconds) / length))
    return ""


TEXT = "string"
FROM_NOW = "dateTimeFromNow"  # a value in milliseconds since 1970


def _places(value: float) -> int:
    """Decimal places of a number, as Grafana chooses them."""
    if math.fmod(value, 1) == 0:
        return 0
    places = 1 - math.floor(math.log(abs(value)) / math.log(10))
    if value / 10.0**-places > 2.25:  # a tick of 2.5 needs one more
        places += 1
    return max(0, min(places, _MOST_PLACES))


def _none(value: float, decimals: int | None) -> str:
    return number(value, decimals)


def _percent(value: float, decimals: int | None) -> str:
    return f"{number(100 * value, decimals)}%"


def _binary(suffix: str) -> Callable[[float, int | None], str]:
    def write(value: float, decimals: int | None) -> str:
        steps = 0
        while abs(value) >= 1024 and steps < len(_BINARY) - 1:
            value, steps = value / 1024, steps + 1
        return f"{number(value, decimals)} {_BINARY[steps]}{suffix}"

    return write


def _seconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if value == 0:
        return f"{number(0, decimals)} s"
    for below, factor, unit in (
        (1e-6, 1e9, "ns"),
        (1e-3, 1e6, "µs"),
        (1.0, 1e3, "ms"),
        (60.0, 1.0, "s"),
        (3600.0, 1 / 60, "mins"),
        (86400.0, 1 / 3600, "hours"),
        (604800.0, 1 / 86400, "days"),
        (31536000.0, 1 / 604800, "weeks"),
    ):
        if size < below:
            return f"{number(value * factor, decimals)} {unit}"
    return f"{number(value / 31556900.0, decimals)} years"


def _microseconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if size < 1e3:
        return f"{number(value, decimals)} µs"
    if size < 1e6:
        return f"{number(value / 1e3, decimals)} ms"
    return f"{number(value / 1e6, decimals)} s"


UNITS: Mapping[str, Callable[[float, int | None], str]] = MappingProxyType(
    {
        "none": _none,
        "percentunit": _percent,
        "bytes": _binary("B"),
        "binBps": _binary("B/s"),
        "s": _seconds,
        "µs": _microseconds,
    }
)
