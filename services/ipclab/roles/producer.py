"""The command of a producer."""

from __future__ import annotations

from typing import Any

import click

from ipclab import options as mailbox_options
from ipclab.accounting import removed_producers
from ipclab.accounting.ledger import ProducerLedger
from ipclab.accounting.removed_producers import with_removed_producers
from ipclab.container_role import ContainerRole
from ipclab.metrics.definitions import Role
from ipclab.options import endpoint_options, mechanism_argument, rate_option, size_option, tuned
from ipclab.pair.producer import Producer
from ipclab.runtime import settings
from ipclab.runtime.overrides import LOAD_FILE, Load, load_override


@click.command()
@mechanism_argument
@rate_option
@size_option
@endpoint_options
def producer(mechanism: str, rate: int, size: int, **options: Any) -> None:
    """Send messages at a constant rate."""
    loaded, tuning = tuned(mechanism, options)
    if problem := settings.check_size(mechanism, size, loaded.traits.max_message_bytes):
        raise click.BadParameter(problem, param_hint="LAB_SIZE")
    loaded = mailbox_options.classified(mechanism, loaded, options["classes"])
    container = ContainerRole(mechanism, Role.PRODUCER, options, tuning, loaded)
    ledger = ProducerLedger(options["state"] / "producer.ledger")
    load = load_override(options["state"] / LOAD_FILE, Load(rate, size))
    loop = Producer(loaded, container.address, ledger, load, container.status, container.stop)
    container.run(loop.run, lambda: with_removed_producers(loop.samples(), options["state"] / removed_producers.FILE))
