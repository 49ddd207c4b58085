"""The command of the responder."""

from __future__ import annotations

from typing import Any

import click

from ipclab.container_role import ContainerRole
from ipclab.matrix import responder as echo
from ipclab.matrix import told_address
from ipclab.matrix.placement import Placement
from ipclab.matrix.probe import Prober
from ipclab.matrix.responder import Responder
from ipclab.metrics.definitions import Role
from ipclab.options import endpoint_options
from ipclab.runtime.lifecycle import hold


@click.command()
@click.option("--answer-only", is_flag=True, help="Do not probe: another responder does.")
@endpoint_options
def responder(answer_only: bool, **options: Any) -> None:
    """Answer by every mechanism, and probe that from inside this container. `--path` is a directory."""
    container = ContainerRole("", Role.RESPONDER, options)
    addresses = echo.addresses(container.address)
    locate = told_address.own(container.address.host)
    prober = Prober(Placement.SAME_CONTAINER, addresses, locate, container.status, container.stop)
    answering = Responder(addresses, container.stop)
    loop = (lambda: hold(container.status, container.stop)) if answer_only else prober.run
    container.run(lambda: answering.during(loop), prober.samples, prepare=answering.start)
