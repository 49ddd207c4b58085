"""What the options of a mailbox's endpoints make of the mechanism and of the books: classes of messages, sharing."""

from __future__ import annotations

from pathlib import Path

import click

from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.accounting.shared import SharedChecker, claim, fold, free_class
from ipclab.contract.channel import Mechanism
from ipclab.contract.optional import Classifies
from ipclab.linux import namespaces


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


def claimed(name: str, mechanism: Mechanism, books: Path | None, *, shared: bool) -> None:
    """Say to the other consumers of the channel whether this one shares it.

    :raises click.BadParameter: it cannot be shared, or there is nowhere to say so
    :raises LedgerError: they say otherwise
    """
    if shared and not mechanism.traits.many_receivers:
        raise click.BadParameter(f"{name} serves one receiver at a time", param_hint="--shared")
    if books:
        claim(books, shared=shared)
    elif shared:
        raise click.BadParameter("needs --books, where the others keep theirs", param_hint="--shared")


def picked(mechanism: Mechanism, books: Path | None, classes: int, *, shared: bool) -> int:
    """The type that this consumer takes, where several share a channel of several types; 0 is all.

    :raises LedgerError: too many consumers share it
    """
    if not shared or not books or classes == 1:
        return 0
    return free_class(books, classes) if isinstance(mechanism, Classifies) and mechanism.receivers_pick else 0


def checker(
    ledger: ConsumerLedger, mechanism: Mechanism, books: Path | None, *, shared: bool
) -> Checker | SharedChecker:
    """The books of a consumer. One that is alone takes over what others noted before.

    :raises LedgerError: there is a file that is no such notes
    """
    if shared and books:
        return SharedChecker(ledger, books / namespaces.container())
    if books:
        fold(ledger, books)
    return Checker(ledger, ordered=mechanism.traits.ordered, reliable=mechanism.traits.reliable)
