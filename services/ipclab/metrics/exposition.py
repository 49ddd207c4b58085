"""The metrics page, in the text format of Prometheus. The loops keep plain integers; the page is made at each scrape.

Source: the exposition format, https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. The page
is made in every container once a second, so it costs little: what a series is called is made once, and the client
library of Prometheus is not loaded (docs/decisions/0050-footprint-of-a-container.md). The tests read the page with that
library's parser, and with promtool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ipclab.metrics.definitions import Definition, Role, Sample, Type
from ipclab.metrics.histogram import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_Key = tuple[str, str, tuple[str, ...]]  # of a series: the metric, the mechanism, the other labels


class Page:
    """What makes the page of an endpoint of its samples."""

    def __init__(self, mechanism: str, role: Role, samples: Callable[[], Iterable[Sample]]) -> None:
        self._mechanism = mechanism
        self._role = str(role)
        self._samples = samples
        self._names: dict[_Key, list[str]] = {}  # of the last page: a line without its value, for each value

    def text(self) -> str:
        """The page as it is now, the metrics in the order of their first samples.

        :raises TypeError: a sample has a value of another type than its metric
        """
        families: dict[str, list[str]] = {}
        names: dict[_Key, list[str]] = {}
        for sample in self._samples():
            definition = sample.definition
            lines = families.get(definition.name)
            if lines is None:
                lines = families[definition.name] = [_head(definition)]
            mechanism = self._mechanism if sample.mechanism is None else sample.mechanism
            key = (definition.name, mechanism, sample.labels)
            of_series = self._names.get(key) or _names(definition, (mechanism, self._role, *sample.labels))
            names[key] = of_series
            lines += [f"{name}{value}\n" for name, value in zip(of_series, _values(sample), strict=True)]
        self._names = names  # a series that is gone takes its names with it
        return "".join(line for lines in families.values() for line in lines)


def _head(definition: Definition) -> str:
    # The text format calls a counter's family by the name of its series.
    name = definition.series[0] if definition.type is Type.COUNTER else definition.name
    return f"# HELP {name} {definition.help}\n# TYPE {name} {definition.type}\n"


def _names(definition: Definition, labels: tuple[str, ...]) -> list[str]:
    """The lines of one series without their values."""
    words = [f'{name}="{value.translate(_ESCAPED)}"' for name, value in zip(definition.labels, labels, strict=True)]
    text = ",".join(words)
    if definition.type is not Type.HISTOGRAM:
        return [f"{definition.series[0]}{{{text}}} "]
    bucket, count, total = definition.series
    bounds = [f'{bucket}{{{text},le="{bound!r}"}} ' for bound in definition.buckets.bounds_seconds]
    return [*bounds, f'{bucket}{{{text},le="+Inf"}} ', f"{count}{{{text}}} ", f"{total}{{{text}}} "]


def _values(sample: Sample) -> list[float]:
    value, definition = sample.value, sample.definition
    if isinstance(value, Histogram) != (definition.type is Type.HISTOGRAM):
        raise TypeError(f"{definition.name} is a {definition.type} and takes no {type(value).__name__}")
    if not isinstance(value, Histogram):
        return [int(value) if isinstance(value, bool) else value]
    counts = value.below(definition.buckets.ends)
    return [*counts, counts[-1], value.sum_ns / 1e9]
