"""What containers cost: memory, and CPU between two looks at the engine's counters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from docker.errors import APIError
from docker.models.containers import Container as DockerContainer

from labctl.containers import Container, seconds, together

_APART_S = 1.0  # the CPU share is a mean over this long


@dataclass(frozen=True)
class Cost:
    """Of one container; None where the engine had no figure (it does not run)."""

    memory_bytes: int | None
    cpu_share: float | None  # of one core


class CostMeter:
    """Looks twice; what else is to be done meanwhile costs no time of its own."""

    def __init__(self, containers: Sequence[Container]) -> None:
        self._containers = [container.docker for container in containers if container.running]
        self._first = together(_look, self._containers)
        self._until = time.monotonic() + _APART_S

    @classmethod
    def start(cls, containers: Sequence[Container]) -> Self:
        """Take the first look."""
        return cls(containers)

    def read(self) -> dict[str, Cost]:
        """Take the second look, a second after the first or later; costs by container id."""
        time.sleep(max(0.0, self._until - time.monotonic()))
        second = together(_look, self._containers)
        return {
            str(container.id)[:12]: cost(before, after)
            for container, before, after in zip(self._containers, self._first, second, strict=True)
        }


def cost(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Cost:
    """From two answers of the engine's stats call."""
    if not before or not after or not after.get("memory_stats", {}).get("usage"):
        return Cost(None, None)
    memory = after["memory_stats"]
    # Page cache that can be dropped is not the container's need; the name is cgroup v2's, then v1's.
    detail = memory.get("stats", {})
    cache = detail.get("inactive_file", detail.get("total_inactive_file", 0))
    used_ns = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    elapsed_s = seconds(after["read"]) - seconds(before["read"])
    return Cost(max(0, memory["usage"] - cache), max(0.0, used_ns / 1e9 / elapsed_s) if elapsed_s > 0 else None)


def _look(container: DockerContainer) -> dict[str, Any] | None:
    """One sample, without the second that the engine would wait for another one of its own."""
    try:
        answer: dict[str, Any] = container.client.api.stats(container.id, stream=False, one_shot=True)
    except APIError:  # it stopped or was removed a moment ago
        return None
    return answer
