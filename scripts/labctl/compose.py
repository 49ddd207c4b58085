"""`docker compose` on compose.yaml, with the values that were checked and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.config.paths import COMPOSE_FILE, ROOT
from labctl.terminal.progress import step
from labctl.terminal.subprocesses import run


def start(services: Sequence[str], environment: Mapping[str, str], scale: Mapping[str, int]) -> None:
    """Create and start `services` and what they depend on; what runs as it should is left alone.

    :param scale: how many containers of a service, where it is not one

    :raises LabError: Compose failed; its last lines are in the message
    """
    # The file by name: a COMPOSE_FILE in the user's shell belongs to another project.
    compose = ["docker", "compose", "--project-directory", str(ROOT), "--file", str(COMPOSE_FILE)]
    replicas = [f"--scale={service}={number}" for service, number in scale.items()]
    with step("Starting containers") as current:
        run(
            [*compose, "up", "--detach", "--no-build", *replicas, *services],
            step=current,
            hint="./lab status shows the containers; ./lab down and ./lab up start afresh",
            # One at a time: Docker Engine 20.10 can hang for good when containers join or leave a network at once.
            environment={**environment, "COMPOSE_PARALLEL_LIMIT": "1"},
            cwd=ROOT,
        )
