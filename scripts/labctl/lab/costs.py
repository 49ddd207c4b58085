"""What containers cost: memory, and CPU over the last second."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError
from docker.models.containers import Container as DockerContainer

from labctl.lab.containers import Container, seconds

# More connections at once than the SDK keeps open are what is wanted here, and no matter for a warning.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Cost:
    """Of one container; None where the engine has no figure (it does not run)."""

    memory_bytes: int | None
    cpu_share: float | None  # of one core


class CostMeter:
    """Asks about all containers at once and in the background: the engine takes two samples, a second apart."""

    def __init__(self, containers: Sequence[Container]) -> None:
        running = [container for container in containers if container.running]
        pool = ThreadPoolExecutor(max(1, len(running)))
        self._answers: dict[str, Future[Cost]] = {c.id: pool.submit(_ask, c.docker) for c in running}
        pool.shutdown(wait=False)

    def read(self) -> dict[str, Cost]:
        """The costs by container id; waits for the engine."""
        return {container_id: answer.result() for container_id, answer in self._answers.items()}


def cost(stats: dict[str, Any]) -> Cost:
    """From an answer of the engine's stats call with two samples."""
    memory = stats.get("memory_stats", {})
    if not memory.get("usage") or stats["preread"].startswith("0001-"):
        return Cost(None, None)
    # Page cache that can be dropped is not the container's need; the name is cgroup v2's, then v1's.
    detail = memory.get("stats", {})
    cache = detail.get("inactive_file", detail.get("total_inactive_file", 0))
    used_ns, used_before_ns = (stats[sample]["cpu_usage"]["total_usage"] for sample in ("cpu_stats", "precpu_stats"))
    elapsed_s = seconds(stats["read"]) - seconds(stats["preread"])
    share = max(0.0, (used_ns - used_before_ns) / 1e9 / elapsed_s) if elapsed_s > 0 else None
    return Cost(max(0, memory["usage"] - cache), share)


def _ask(container: DockerContainer) -> Cost:
    try:
        return cost(container.stats(stream=False))
    except APIError:  # it stopped or was removed a moment ago
        return Cost(None, None)
