"""`python -m ipclab`: one image, the role is chosen by command.

Exit codes: 0 stopped on request; 1 the role cannot work here; 2 a bad option; 75 left in an old namespace.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ipclab import mechanisms
from ipclab import options as mailbox_options
from ipclab.accounting import removed_producers
from ipclab.accounting.ledger import ConsumerLedger, LedgerError, ProducerLedger
from ipclab.accounting.removed_producers import with_removed_producers
from ipclab.bench import last_bench
from ipclab.bench.agent import Agent
from ipclab.container_role import ContainerRole
from ipclab.contract.channel import Address, Switch
from ipclab.contract.errors import ChannelError
from ipclab.kernel_exporter.exporter import KernelObjects, Remembered, samples
from ipclab.kernel_exporter.owners import EchoOwners, OwnerOption, Owners
from ipclab.kernel_exporter.posix import DEV_MQUEUE
from ipclab.matrix import responder as echo
from ipclab.matrix import told_address
from ipclab.matrix.placement import Placement
from ipclab.matrix.probe import Prober, explained
from ipclab.matrix.responder import Responder
from ipclab.metrics.definitions import Role, Sample
from ipclab.options import STATE, endpoint_options, mechanism_argument, rate_option, size_option, tuned
from ipclab.pair.consumer import Consumer
from ipclab.pair.parent_child import talk
from ipclab.pair.producer import Producer
from ipclab.runtime import settings
from ipclab.runtime.lifecycle import hold, log
from ipclab.runtime.overrides import LOAD_FILE, Load, load_override, lock_override
from ipclab.speedup import roles as speedup
from ipclab.student import roles as student


@click.group()
def cli() -> None:
    """The roles of the lab's containers."""


cli.add_command(speedup.coordinator)
cli.add_command(speedup.worker)
cli.add_command(student.child)
cli.add_command(student.ledger)
cli.add_command(student.race)


@cli.command()
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


@cli.command()
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


@cli.command()
@endpoint_options
def holder(**options: Any) -> None:
    """Hold the IPC namespace that others join."""
    container = ContainerRole("", Role.HOLDER, options)
    container.run(lambda: hold(container.status, container.stop), container.status.namespace_samples)


@cli.command()
@click.option("--sysv", "keys", type=OwnerOption(settings.KEY), multiple=True, help="MECHANISM=KEY: whose that key is.")
@click.option(
    "--posix", "paths", type=OwnerOption(click.STRING), multiple=True, help="MECHANISM=PATH: whose that name is."
)
@click.option("--responder", "base", type=settings.KEY, help="The responder's key: whose the matrix's objects are.")
@click.option("--bench", "bench_file", type=click.Path(path_type=Path), help="The figures of the last bench.")
@endpoint_options
def kernel(
    keys: tuple[tuple[str, int], ...],
    paths: tuple[tuple[str, str], ...],
    base: int | None,
    bench_file: Path | None,
    **options: Any,
) -> None:
    """Show what the kernel holds in the IPC namespace of this container, and the figures of the last bench."""
    owners = Owners(dict(keys), dict(paths))
    matrix = EchoOwners() if base is None else EchoOwners.of_responder(Address(key=base))
    container = ContainerRole("", Role.KERNEL, options)
    if not DEV_MQUEUE.is_dir():
        log.warning("%s is not mounted here: POSIX message queues cannot be shown", DEV_MQUEUE)

    if bench_file:
        last_bench.serve(bench_file)
    remembered: Remembered = {}

    def page() -> Iterable[Sample]:
        yield from container.status.namespace_samples()
        yield from samples(KernelObjects.read(), owners, matrix, remembered)

    container.run(lambda: hold(container.status, container.stop), page)


@cli.command()
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


@cli.command()
@click.argument("placement", type=click.Choice([str(placement) for placement in Placement]))
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
    prober = Prober(Placement(placement), addresses, locate, container.status, container.stop)
    if explain:
        click.echo(json.dumps(explained(mechanisms.load(explain), addresses[explain], locate)))
    elif once:
        click.echo(json.dumps({name: asdict(tried) for name, tried in prober.round()}))
    else:
        container.run(prober.run, prober.samples)


@cli.command()
@click.option("--round-trips", type=click.IntRange(2, 1_000_000), default=10_000)
@click.option("--size", type=click.IntRange(4, 1 << 20), default=64, help="Bytes a message.")
def fork(round_trips: int, size: int) -> None:
    """Talk with a child through two anonymous pipes; print what the kernel says of them, and the times, as JSON."""
    click.echo(json.dumps(asdict(talk(round_trips, size))))


@cli.command()
@mechanism_argument
@click.argument("word", metavar="STATE", type=click.Choice(settings.ON_OFF), required=False)
@click.option("--state", type=click.Path(path_type=Path), default=STATE, help="The consumer's state directory.")
def lock(mechanism: str, word: str | None, state: Path) -> None:
    """Switch the lock of the race of the consumer in this container; without STATE, back to LAB_RACE_LOCK."""
    if problem := mechanisms.lacks(mechanism, Switch.RACE_LOCK):
        raise click.BadParameter(problem, param_hint="MECHANISM")
    file = lock_override(state / "race-lock", default=True)
    if word is None:
        file.reset()
    else:
        file.write(word == "on")


@cli.command("bench-agent")
def bench_agent() -> None:
    """Start the endpoints of a bench, as stdin says. See `ipclab.bench.agent`."""
    sys.exit(Agent().serve())


def main() -> None:
    """Run the command; every error of use ends in one line."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(2)
    except ChannelError as error:
        click.echo(f"error: {error.explained()}", err=True)
        sys.exit(1)
    except (LedgerError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
