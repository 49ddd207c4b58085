"""Ports for a command of the tests' own: a lab of the person may run on those of `.env`."""

from __future__ import annotations

from labctl.config.configuration import PUBLISHED_PORTS
from labctl.lab.ports import free_port


def free_ports() -> dict[str, str]:
    """Every setting of a port that a lab publishes, with a port that nobody listens on now."""
    return {name: str(free_port()) for name in PUBLISHED_PORTS}
