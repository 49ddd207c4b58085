"""Where Prometheus finds the consumers on the second host: they have one address, and each a port of its own.

Whoever is on this engine it finds by the alias that all containers of the lab have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ipclab.matrix.placement import Placement
from labctl import placed_container
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from labctl.lab import state_files
from labctl.lab.containers import Container
from labctl.placed import Placed

_DIRECTORY, _FILE = "/prometheus", "placed.json"  # as services/prometheus/prometheus.yml has it


def write(found: Iterable[Container], placed: Sequence[Placed], configuration: Configuration) -> None:
    """Replace the file that Prometheus watches; it is on a volume that goes with the lab."""
    content = json.dumps(
        targets([it.mechanism for it in placed if it.placement is Placement.SECOND_HOST], configuration)
    )
    for container in found:
        if container.service == "prometheus":
            state_files.write(container.docker, _DIRECTORY, _FILE, content.encode())


def targets(mechanisms: Sequence[str], configuration: Configuration) -> list[dict[str, list[str]]]:
    """The content of the file (prometheus.io/docs, file_sd_config)."""
    ports = [placed_container.metrics_port(mechanism, configuration) for mechanism in mechanisms]
    return [{"targets": [f"{compose_file.SECOND_HOST}:{port}" for port in ports]}]
