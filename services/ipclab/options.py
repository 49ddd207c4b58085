"""The options of the containers' roles, and what the options of a mailbox mean for its mechanism and its checker.

Environment variables of the container stand behind some options.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ipclab import mechanisms
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.accounting.shared import SharedChecker, lock_class, lock_mailbox, merge_into_ledger
from ipclab.contract.channel import Mechanism, Switch, Tuning, Wait
from ipclab.contract.optional_parts import Classifies
from ipclab.linux import namespaces
from ipclab.metrics import definitions as metrics
from ipclab.runtime import settings


def classified(name: str, mechanism: Mechanism, classes: int, pick: int = 0) -> Mechanism:
    """The mechanism with so many types or priorities, if it was asked for more than one.

    :raises click.BadParameter: its messages have none, or a receiver cannot pick
    """
    if classes == 1 and not pick:
        return mechanism
    if not isinstance(mechanism, Classifies):
        raise click.BadParameter(f"the messages of {name} have no types or priorities", param_hint="--classes")
    if pick > classes:
        raise click.BadParameter(f"type {pick} of {classes}", param_hint="--pick")
    try:
        return mechanism.classified(classes, pick)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--pick") from error


def lock_shared_ledger(name: str, mechanism: Mechanism, shared_ledger: Path | None, *, shared: bool) -> None:
    """Say to the other consumers of the channel whether this one shares it.

    :raises click.BadParameter: it cannot be shared, or there is nowhere to say so
    :raises LedgerError: they say otherwise
    """
    if shared and not mechanism.traits.many_receivers:
        raise click.BadParameter(f"{name} serves one receiver at a time", param_hint="--shared")
    if shared_ledger:
        lock_mailbox(shared_ledger, shared=shared)
    elif shared:
        raise click.BadParameter("needs --shared-ledger, where the others keep theirs", param_hint="--shared")


def picked(mechanism: Mechanism, shared_ledger: Path | None, classes: int, *, shared: bool) -> int:
    """The type that this consumer takes, where several share a channel of several types; 0 is all.

    :raises LedgerError: too many consumers share it
    """
    if not shared or not shared_ledger or classes == 1:
        return 0
    return lock_class(shared_ledger, classes) if isinstance(mechanism, Classifies) and mechanism.receivers_pick else 0


def checker(
    ledger: ConsumerLedger, mechanism: Mechanism, shared_ledger: Path | None, *, shared: bool
) -> Checker | SharedChecker:
    """The checker of a consumer. One that is alone takes over what others noted before.

    :raises LedgerError: there is a file that is no such snapshots
    """
    if shared and shared_ledger:
        return SharedChecker(ledger, shared_ledger / namespaces.container())
    if shared_ledger:
        merge_into_ledger(ledger, shared_ledger)
    traits = mechanism.traits
    return Checker(ledger, ordered=traits.ordered, reliable=traits.reliable, gives_back=not traits.copies)


STATE = Path("/state")
_ALIVE = Path("/heartbeat/alive")
_ANY_PATH = click.Path(path_type=Path, readable=False)  # whether it may be read, the kernel says, with its errno

mechanism_argument = click.argument("mechanism", type=click.Choice(mechanisms.names()))
rate_option = click.option("--rate", type=settings.RATE, envvar="LAB_RATE", required=True, help="Messages per second.")
size_option = click.option("--size", type=settings.SIZE, envvar="LAB_SIZE", required=True, help="Bytes a message.")


def endpoint_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where to meet, and how to show what happens."""
    for option in (
        click.option("--key", type=settings.KEY, default=1, help="System V key."),
        click.option("--path", type=_ANY_PATH, default=Path(), help="Name in the filesystem."),
        click.option("--host", default="", help="Host to connect to, or own name to listen on."),
        click.option("--port", type=settings.PORT, default=1, help="TCP port."),
        click.option(
            "--wait",
            type=click.Choice([str(w) for w in Wait]),
            envvar="LAB_WAIT",
            help="How to wait, where there is a choice.",
        ),
        click.option(
            "--append-lock/--no-append-lock", default=None, envvar="LAB_APPEND_LOCK", help="Lock the file to append."
        ),
        click.option("--fsync/--no-fsync", default=None, envvar="LAB_FILE_FSYNC", help="Wait for the disk."),
        click.option(
            "--race-lock/--no-race-lock",
            default=None,
            envvar="LAB_RACE_LOCK",
            help="Lock the words that both sides change.",
        ),
        click.option("--classes", type=settings.CLASSES, envvar="LAB_CLASSES", default=1, help="Types, or priorities."),
        click.option("--holder", envvar="LAB_HOLDER", help="Host name of the namespace's holder."),
        click.option("--state", type=_ANY_PATH, default=STATE, help="Private, lasting directory."),
        click.option("--alive", type=_ANY_PATH, default=_ALIVE, help="File touched while alive."),
        # In a pod the containers have one network namespace, and so one set of ports.
        click.option(
            "--metrics-port",
            type=settings.PORT,
            default=metrics.PORT,
            envvar="LAB_METRICS_PORT",
            show_envvar=True,
            help="Port of /metrics.",
        ),
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
        raise click.BadParameter(str(error), param_hint=f"--{error.choice.replace('_', '-')}") from error
    traits = mechanism.traits
    return mechanism, Tuning(Wait(options["wait"] or traits.waits[0]), {**traits.switches, **asked})
