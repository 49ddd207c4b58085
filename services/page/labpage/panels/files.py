"""Where the image has the dashboards and the exercises; in a clone they are where they are written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from labpage.panels.definition import Dashboard
from labpage.panels.reader import read_all

_IMAGE, _CLONE = Path("/opt/lab"), Path(__file__).resolve().parents[4]


def folder(name: str) -> Path:
    """`dashboards/json` or `exercises`."""
    return next((root / name for root in (_IMAGE, _CLONE) if (root / name).is_dir()), _IMAGE / name)


@cache
def dashboards() -> Mapping[str, Dashboard]:
    """All of them, read once.

    :raises UnknownOptionError: one has an option that the page does not draw
    """
    return read_all(folder("dashboards/json"))


def grafana_port() -> int | None:
    """The port by which browsers know Grafana, where it runs."""
    port = os.environ.get("LAB_GRAFANA_PORT", "")
    return int(port) if port.isdecimal() else None
