"""The metrics page that Prometheus scrapes. The loops keep plain integers; the page is made of them at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ipclab.metrics.definitions import Buckets, Definition, Role, Sample, Type
from ipclab.metrics.histogram import Histogram


class Page(Collector):
    """The collector that turns an endpoint's samples into the metric families of the Prometheus client."""

    def __init__(self, mechanism: str, role: Role, samples: Callable[[], Iterable[Sample]]) -> None:
        self._mechanism = mechanism
        self._role = str(role)
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        """The families with their samples, in the order of the samples."""
        families: dict[str, Metric] = {}
        for sample in self._samples():
            definition = sample.definition
            family = families.get(definition.name)
            if family is None:
                family = families[definition.name] = _family(definition)
            mechanism = self._mechanism if sample.mechanism is None else sample.mechanism
            _add(family, (mechanism, self._role, *sample.labels), sample.value, definition.buckets)
        return families.values()


def registry_of(page: Page) -> CollectorRegistry:
    """A registry with only this page, without the client's process metrics."""
    own = CollectorRegistry()
    own.register(page)
    return own


def _family(definition: Definition) -> Metric:
    match definition.type:
        case Type.COUNTER:
            return CounterMetricFamily(definition.name, definition.help, labels=definition.labels)
        case Type.GAUGE:
            return GaugeMetricFamily(definition.name, definition.help, labels=definition.labels)
        case Type.HISTOGRAM:
            return HistogramMetricFamily(definition.name, definition.help, labels=definition.labels)


def _add(family: Metric, labels: Sequence[str], value: float | Histogram, which: Buckets) -> None:
    if isinstance(family, HistogramMetricFamily) and isinstance(value, Histogram):
        buckets = [
            ("+Inf" if bound == float("inf") else repr(bound), count)
            for bound, count in value.cumulative(which.first_ns, which.last_ns, which.every)
        ]
        family.add_metric(labels, buckets, value.sum_ns / 1e9)
    elif isinstance(family, CounterMetricFamily | GaugeMetricFamily) and not isinstance(value, Histogram):
        family.add_metric(labels, value)
    else:
        raise TypeError(f"{family.name} is a {family.type} and takes no {type(value).__name__}")
