"""The command of a probe."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ipclab import mechanisms
from ipclab.container_role import ContainerRole
from ipclab.matrix import responder as echo
from ipclab.matrix import told_address
from ipclab.matrix.placement import Placement, PodPlacement, named
from ipclab.matrix.probe import Prober, explained
from ipclab.metrics.definitions import Role
from ipclab.options import endpoint_options


@click.command()
@click.argument("placement", type=click.Choice([str(placement) for placement in (*Placement, *PodPlacement)]))
@click.option("--once", is_flag=True, help="One round, printed as JSON, and no metrics.")
@click.option("--explain", type=click.Choice(mechanisms.names()), help="One try, and its failed system calls, as JSON.")
@click.option("--responder", help="Host whose page says the address that the responder listens on; --host goes first.")
@endpoint_options
def probe(placement: str, once: bool, explain: str | None, responder: str | None, **options: Any) -> None:
    """Try to reach the responder by every mechanism, round after round. `--path` is a directory."""
    container = ContainerRole("", Role.PROBE, options)
    addresses = echo.addresses(container.address)
    host = container.address.host
    locate = told_address.Told(responder) if responder and not host else told_address.given(host)
    prober = Prober(named(placement), addresses, locate, container.status, container.stop)
    if explain:
        click.echo(json.dumps(explained(mechanisms.load(explain), addresses[explain], locate)))
    elif once:
        click.echo(json.dumps({name: asdict(tried) for name, tried in prober.round()}))
    else:
        container.run(prober.run, prober.samples)
