"""The command of a consumer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ipclab import options as mailbox_options
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.container_role import ContainerRole
from ipclab.metrics.definitions import Role
from ipclab.options import endpoint_options, mechanism_argument, tuned
from ipclab.pair.consumer import Consumer
from ipclab.runtime import settings


@click.command()
@mechanism_argument
@click.option("--shared-ledger", type=click.Path(path_type=Path), help="Directory of all consumers of the channel.")
@click.option("--pick", type=settings.CLASSES, help="Take the messages of this type alone.")
@click.option("--shared", is_flag=True, envvar="LAB_SHARED", help="Others take messages from the same channel.")
@endpoint_options
def consumer(mechanism: str, shared_ledger: Path | None, pick: int | None, shared: bool, **options: Any) -> None:
    """Receive messages and account for every one."""
    loaded, tuning = tuned(mechanism, options)
    mailbox_options.lock_shared_ledger(mechanism, loaded, shared_ledger, shared=shared)
    pick = pick or mailbox_options.picked(loaded, shared_ledger, options["classes"], shared=shared)
    loaded = mailbox_options.classified(mechanism, loaded, options["classes"], pick)
    container = ContainerRole(
        mechanism, Role.CONSUMER, options, tuning, loaded, [shared_ledger] if shared_ledger else []
    )
    ledger = ConsumerLedger(options["state"] / "consumer.ledger")
    checker = mailbox_options.checker(ledger, loaded, shared_ledger, shared=shared)
    loop = Consumer(loaded, container.address, checker, container.status, container.stop)
    container.run(loop.run, loop.samples)
