"""Reads a metrics page as Prometheus does, with its client's parser."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from ipclab.metrics.exposition import Page


def value_on(page: Page, series: str, labels: Mapping[str, str]) -> float | None:
    """The value of one series on the page as it is now; None if it is not there."""
    for family in text_string_to_metric_families(page.text()):
        for sample in family.samples:
            if (sample.name, sample.labels) == (series, dict(labels)):
                return float(sample.value)
    return None
