"""The command of the holder of an IPC namespace."""

from __future__ import annotations

from typing import Any

import click

from ipclab.container_role import ContainerRole
from ipclab.metrics.definitions import Role
from ipclab.options import endpoint_options
from ipclab.runtime.lifecycle import hold


@click.command()
@endpoint_options
def holder(**options: Any) -> None:
    """Hold the IPC namespace that others join."""
    container = ContainerRole("", Role.HOLDER, options)
    container.run(lambda: hold(container.status, container.stop), container.status.namespace_samples)
