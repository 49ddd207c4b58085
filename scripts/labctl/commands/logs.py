"""`./lab logs MECHANISM`: what both sides of a pair wrote, in the order of time."""

from __future__ import annotations

from labctl.lab import containers
from labctl.lab.containers import Container
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines


def show_logs(lab: Lab, mechanism: str, lines: int) -> None:
    """Print the last `lines` of each container, each with its time (UTC) and whose it is.

    :raises LabError: the pair has no container
    """
    found = containers.of_pair(lab.containers(), mechanism)
    if not found:
        raise LabError(f"{mechanism} is not running in {lab.project}", hint=f"./lab up {mechanism}")
    label = max(len(container.label) for container in found)
    written = sorted(line for container in found for line in _lines(container, lines))
    show_lines([f"{stamp}  {who:{label}}  {text}" for stamp, who, text in written] or [f"{mechanism} wrote nothing"])


def _lines(container: Container, lines: int) -> list[tuple[str, str, str]]:
    """Time, container and text; the engine puts an RFC 3339 time in front of each."""
    text = container.docker.logs(tail=lines, timestamps=True).decode(errors="replace")
    stamped = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [(stamp[:23].replace("T", " "), container.label, said.rstrip()) for stamp, _, said in stamped]
