"""The services of the stack as the Swarm knows them, found by the stack's label."""

from __future__ import annotations

import docker
from docker.models.services import Service

STACK_LABEL = "com.docker.stack.namespace"


def name_of(project: str) -> str:
    """The stack's name: not the project's, or its volumes would be those of the lab beside it."""
    return f"{project}-swarm"


def services_of(client: docker.DockerClient, project: str) -> dict[str, Service]:
    """The services of the stack, by the name that they have in compose.yaml."""
    stack = name_of(project)
    found = client.services.list(filters={"label": f"{STACK_LABEL}={stack}"})
    return {service.name.removeprefix(f"{stack}_"): service for service in found}
