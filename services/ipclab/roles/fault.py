"""The commands of the container that is a running fault of `./lab fault`: it shows the fault, and acts where it shares.

The container lives as long as the fault. What needs the engine (a kill, a pause, a cut) `./lab` does from outside.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ipclab.container_role import ContainerRole
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Role, Sample
from ipclab.options import endpoint_options
from ipclab.pair import harm, network_harm
from ipclab.runtime.lifecycle import hold


@click.command()
@click.argument("name")
@click.argument("mechanism", required=False, default="")
@click.option(
    "--detour", type=click.Choice(sorted(network_harm.TREATMENTS)), help="What becomes of the pair's packets."
)
@click.option("--strength", type=int, default=0, help="In the unit of the fault.")
@endpoint_options
def fault(name: str, mechanism: str, detour: str | None, strength: int, **options: Any) -> None:
    """Show that a fault is on, until told to stop; with --detour also treat the packets for --host."""
    container = ContainerRole(mechanism, Role.FAULT, options)

    def page() -> Iterable[Sample]:
        yield Sample(metrics.FAULT_ACTIVE, 1, (name,))
        yield from container.status.namespace_samples()

    if detour:
        network_harm.start(detour, strength, container.address.host)
    container.run(lambda: hold(container.status, container.stop), page)


@click.command("fault-act")
@click.argument("action", type=click.Choice(sorted(harm.ACTIONS)))
@click.argument("mechanism", required=False, default="")
@click.option("--number", type=int, default=0, help="In the unit of the action.")
@click.option("--text", default="", help="What the action is told.")
@endpoint_options
def act(action: str, mechanism: str, number: int, text: str, **options: Any) -> None:
    """Do one thing, and print what came of it as JSON."""
    path = options["path"]
    what = harm.Place(mechanism, options["key"], path if path != Path() else None, options["host"], options["port"])
    try:
        click.echo(json.dumps(harm.ACTIONS[action](what, number, text)))
    except (OSError, LookupError, ValueError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
