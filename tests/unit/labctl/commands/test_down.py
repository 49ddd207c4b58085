"""The order of removal: who joined the IPC namespace of another container goes before it."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from labctl.commands.down import newest_first
from labctl.lab.containers import SERVICE_LABEL


def _listed(service: str, created: int) -> Any:
    return Mock(attrs={"Created": created, "Labels": {SERVICE_LABEL: service}})


def test_whoever_joined_a_namespace_is_removed_before_its_owner() -> None:
    """A moved consumer joined its producer's, and is younger; Docker counts seconds, and a holder may share its own."""
    engine_order = [
        _listed("holder", 100),
        _listed("sysv-mq-producer", 102),
        _listed("sysv-mq-consumer", 100),
        _listed("placed-sysv-mq", 130),
    ]
    order = [container.attrs["Labels"][SERVICE_LABEL] for container in newest_first(engine_order)]
    assert order == ["placed-sysv-mq", "sysv-mq-producer", "sysv-mq-consumer", "holder"]
