"""Containers as the command line sees them."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from labctl.lab.containers import Container


def container(service: str, **changes: Any) -> Container:
    """A running container that has nothing to say."""
    facts: dict[str, Any] = {
        "docker": Mock(),
        "service": service,
        "number": 1,
        "id": f"id-of-{service}",
        "state": "running",
        "health": "healthy",
        "exit_code": 0,
        "oom_killed": False,
        "restarts": 0,
        "started_at": 0.0,
        "joins_ipc_of": None,
        "environment": {},
    }
    return Container(**facts | changes)
