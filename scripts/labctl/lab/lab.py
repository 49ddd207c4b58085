"""The lab of one project: its settings, the engine it runs on, its containers, and its Prometheus.

A command makes one `Lab` and passes it on. The engine and Prometheus are asked when they are needed first.
"""

from __future__ import annotations

from functools import cached_property

import docker

from labctl.config.configuration import Configuration
from labctl.engine import engine
from labctl.lab import containers
from labctl.lab.containers import Container, require_running
from labctl.lab.prometheus import Prometheus
from labctl.terminal.errors import LabError


class Lab:
    """One lab.

    :param client: the engine, where it is known already
    """

    def __init__(self, configuration: Configuration, client: docker.DockerClient | None = None) -> None:
        self.configuration = configuration
        if client is not None:
            self.client = client

    @cached_property
    def client(self) -> docker.DockerClient:
        """The engine.

        :raises LabError: it does not answer
        """
        return engine.connect()

    @cached_property
    def prometheus(self) -> Prometheus:
        """What Prometheus measured; its methods raise PrometheusSilent."""
        return Prometheus(self.configuration.number("LAB_PROMETHEUS_PORT"))

    @property
    def project(self) -> str:
        """The name of the Compose project."""
        return self.configuration.project

    def containers(self) -> list[Container]:
        """Every container of the project in any state, by service, as it is now."""
        return containers.of_project(self.client, self.project)

    def running(self) -> list[Container]:
        """The same, of a lab that runs.

        :raises LabError: none of them runs
        """
        found = self.containers()
        require_running(found, self.project)
        return found

    def endpoints(self, mechanism: str, *, producers: bool) -> list[Container]:
        """The running containers of one side of a pair.

        :raises LabError: none of them runs
        """
        pair = containers.of_pair(self.containers(), mechanism)
        found = [c for c in pair if c.running and c.is_producer == producers]
        if not found:
            raise LabError(f"{mechanism} is not running in {self.project}", hint=f"./lab up {mechanism}")
        return found
