"""Why a pair does not start or move: the state of its containers, their last words, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.config.compose_file import services_of
from labctl.lab import containers
from labctl.lab.containers import Container
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say

_LOG_LINES = 4


def not_moving(mechanisms: Sequence[str], all_containers: Sequence[Container], within_s: float) -> LabError:
    """Print the details of every pair that does not move; returns the error that names them."""
    return _failed(mechanisms, all_containers, f"moved no message within {within_s:.0f} s")


def not_healthy(mechanisms: Sequence[str], all_containers: Sequence[Container], within_s: float) -> LabError:
    """Print the details of every pair whose consumer is not healthy; returns the error that names them."""
    return _failed(mechanisms, all_containers, f"has no healthy consumer after {within_s:.0f} s")


def _failed(mechanisms: Sequence[str], all_containers: Sequence[Container], how: str) -> LabError:
    states, hints = [], []
    for mechanism in mechanisms:
        pair = containers.of_pair(all_containers, mechanism)
        missing = set(services_of(mechanism)) - {container.service for container in pair}
        described = [f"{container.service} is {container.describe()}" for container in pair]
        described += [f"{service} does not exist" for service in sorted(missing)]
        states.append(f"{mechanism} {how} ({'; '.join(described)})")
        hints += [hint for container in pair if (hint := _hint(container))]
        for container in pair:
            for line in last_lines(container):
                say(f"  | {line}")
    names = " ".join(mechanisms)
    return LabError(
        "; ".join(states),
        hint=hints[0] if hints else f"./lab doctor looks for the cause; or ./lab down, then ./lab up {names}",
    )


def last_lines(container: Container) -> list[str]:
    """The last lines of its log, each with the service's name in front."""
    text = container.docker.logs(tail=_LOG_LINES).decode(errors="replace")
    return [f"{container.service}: {line}" for line in text.splitlines()] or [f"{container.service}: no log"]


def _hint(container: Container) -> str | None:
    """What to do about the state of one container; None if nothing is wrong with it."""
    if container.oom_killed:
        return f"it needs more memory than mem_limit in compose.yaml gives {container.service}"
    match container.state:
        case "paused":
            return f"docker unpause {container.id}"
        case "created":
            return f"docker start {container.id} tells why {container.service} does not start"
        case "exited" | "dead" | "restarting":
            return f"docker logs {container.id} tells why {container.service} ended"
    if container.health == "unhealthy":
        return f"{container.service} has no open channel: docker logs {container.id}"
    return None
