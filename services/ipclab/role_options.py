"""The options of the roles of the lab's containers; a variable of the container stands behind some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ipclab import mechanisms
from ipclab.contract.channel import Mechanism, Switch, Tuning, Wait
from ipclab.metrics import definitions as metrics
from ipclab.runtime import settings

STATE = Path("/state")
_ALIVE = Path("/run/lab/alive")
_ANY_PATH = click.Path(path_type=Path, readable=False)  # whether it may be read, the kernel says, with its errno

mechanism_argument = click.argument("mechanism", type=click.Choice(mechanisms.names()))
rate_option = click.option("--rate", type=settings.RATE, envvar="LAB_RATE", required=True, help="Messages per second.")
size_option = click.option("--size", type=settings.SIZE, envvar="LAB_SIZE", required=True, help="Bytes a message.")


def endpoint_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where to meet, and how to show what happens."""
    for option in (
        click.option("--key", type=settings.KEY, default=1, help="System V key."),
        click.option("--path", type=_ANY_PATH, default=Path(), help="Name in the filesystem."),
        click.option("--host", default="", help="Host to connect to, or address to listen on."),
        click.option("--port", type=settings.PORT, default=1, help="TCP port."),
        click.option(
            "--wait",
            type=click.Choice([str(w) for w in Wait]),
            envvar="LAB_WAIT",
            help="How to wait, where there is a choice.",
        ),
        click.option("--lock/--no-lock", default=None, envvar="LAB_FILE_LOCK", help="Lock the file to append."),
        click.option("--fsync/--no-fsync", default=None, envvar="LAB_FILE_FSYNC", help="Wait for the disk."),
        click.option("--sync/--no-sync", default=None, envvar="LAB_SYNC", help="Lock the words that both change."),
        click.option("--classes", type=settings.CLASSES, envvar="LAB_CLASSES", default=1, help="Types, or priorities."),
        click.option("--holder", envvar="LAB_HOLDER", help="Host name of the namespace's holder."),
        click.option("--state", type=_ANY_PATH, default=STATE, help="Private, lasting directory."),
        click.option("--alive", type=_ANY_PATH, default=_ALIVE, help="File touched while alive."),
        click.option("--metrics-port", type=settings.PORT, default=metrics.PORT, help="Port of /metrics."),
    ):
        command = option(command)
    return command


def tuned(name: str, options: dict[str, Any]) -> tuple[Mechanism, Tuning]:
    """The mechanism as asked, and all of how it works: what was not asked for is its own way.

    :raises click.BadParameter: it does not offer what was asked
    """
    asked = {switch: options[switch] for switch in Switch if options[switch] is not None}
    try:
        mechanism = mechanisms.load(name, Tuning(Wait(options["wait"]) if options["wait"] else None, asked))
    except mechanisms.NotOffered as error:
        raise click.BadParameter(str(error), param_hint=f"--{error.choice}") from error
    traits = mechanism.traits
    return mechanism, Tuning(Wait(options["wait"] or traits.waits[0]), {**traits.switches, **asked})
