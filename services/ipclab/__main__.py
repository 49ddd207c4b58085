"""`python -m ipclab`: one image, the role is chosen by command.

Exit codes: 0 told to stop; 1 it cannot work here; 2 a bad option; 75 left behind in an old namespace.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import click
from prometheus_client import start_http_server

from ipclab import echo, gone, mailbox_options, metrics, namespaces, registry, settings
from ipclab.channel import Address, Mechanism, Switch, Tuning, Wait
from ipclab.consumer import Consumer
from ipclab.errors import ChannelError
from ipclab.gone import with_gone
from ipclab.holder import hold
from ipclab.kernel import Books, samples
from ipclab.kernel_owners import OwnerOption, Owners
from ipclab.kernel_posix import DEV_MQUEUE
from ipclab.ledger import ConsumerLedger, LedgerError, ProducerLedger
from ipclab.lifecycle import EXIT_SPLIT, Stop, Vitals, log, wake_on_time
from ipclab.load import Load, LoadFile
from ipclab.metrics import Page, Role, Sample
from ipclab.placement import Placement
from ipclab.probe import Prober, explained
from ipclab.producer import Producer
from ipclab.race import Side
from ipclab.racer import Racer, Rounds
from ipclab.responder import Responder
from ipclab.speedup import roles as speedup
from ipclab.sync_file import SyncFile
from ipclab.words import shares_words

_STATE = Path("/state")
_ALIVE = Path("/run/lab/alive")
_ANY_PATH = click.Path(path_type=Path, readable=False)  # whether it may be read, the kernel says, with its errno
_LOOPBACK = "127.0.0.1"
_UNTUNED = Tuning()

mechanism_argument = click.argument("mechanism", type=click.Choice(registry.names()))
rate_option = click.option("--rate", type=settings.RATE, envvar="LAB_RATE", required=True, help="Messages per second.")
size_option = click.option("--size", type=settings.SIZE, envvar="LAB_SIZE", required=True, help="Bytes a message.")


def endpoint_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where to meet, and how to show what happens."""
    for option in (
        click.option("--key", type=settings.KEY, default=1, help="System V key."),
        click.option("--path", type=_ANY_PATH, default=Path(), help="Name in the filesystem."),
        click.option("--host", default="", help="Host to connect to, or address to listen on."),
        click.option("--port", type=settings.PORT, default=1, help="TCP port."),
        click.option("--wait", type=click.Choice([str(w) for w in Wait]), help="How to wait, where there is a choice."),
        click.option("--lock/--no-lock", default=None, envvar="LAB_FILE_LOCK", help="Lock the file to append."),
        click.option("--fsync/--no-fsync", default=None, envvar="LAB_FILE_FSYNC", help="Wait for the disk."),
        click.option("--sync/--no-sync", default=None, envvar="LAB_SYNC", help="Lock the words that both change."),
        click.option("--classes", type=settings.CLASSES, envvar="LAB_CLASSES", default=1, help="Types, or priorities."),
        click.option("--holder", envvar="LAB_HOLDER", help="Host name of the namespace's holder."),
        click.option("--state", type=_ANY_PATH, default=_STATE, help="Private, lasting directory."),
        click.option("--alive", type=_ANY_PATH, default=_ALIVE, help="File touched while alive."),
        click.option("--metrics-port", type=settings.PORT, default=metrics.PORT, help="Port of /metrics."),
    ):
        command = option(command)
    return command


@click.group()
def cli() -> None:
    """The roles of the lab's containers."""


cli.add_command(speedup.coordinator)
cli.add_command(speedup.worker)


@cli.command()
@mechanism_argument
@rate_option
@size_option
@endpoint_options
def producer(mechanism: str, rate: int, size: int, **options: Any) -> None:
    """Send messages at a constant rate."""
    subject, tuning = _tuned(mechanism, options)
    if problem := settings.check_size(mechanism, size, subject.traits.max_message_bytes):
        raise click.BadParameter(problem, param_hint="LAB_SIZE")
    subject = mailbox_options.classified(mechanism, subject, options["classes"])
    endpoint = _Endpoint(mechanism, Role.PRODUCER, options, tuning, subject)
    ledger = ProducerLedger(options["state"] / "producer.ledger")
    load = LoadFile(options["state"] / "load.json", Load(rate, size))
    loop = Producer(subject, endpoint.address, ledger, load, endpoint.vitals, endpoint.stop)
    endpoint.run(loop.run, lambda: with_gone(loop.samples(), options["state"] / gone.FILE))


@cli.command()
@mechanism_argument
@click.option("--books", type=click.Path(path_type=Path), help="Directory that all consumers of the channel share.")
@click.option("--pick", type=settings.CLASSES, help="Take the messages of this type alone.")
@click.option("--shared", is_flag=True, envvar="LAB_SHARED", help="Others take messages from the same channel.")
@endpoint_options
def consumer(mechanism: str, books: Path | None, pick: int | None, shared: bool, **options: Any) -> None:
    """Receive messages and account for every one."""
    subject, tuning = _tuned(mechanism, options)
    mailbox_options.claimed(mechanism, subject, books, shared=shared)
    pick = pick or mailbox_options.picked(subject, books, options["classes"], shared=shared)
    subject = mailbox_options.classified(mechanism, subject, options["classes"], pick)
    endpoint = _Endpoint(mechanism, Role.CONSUMER, options, tuning, subject)
    ledger = ConsumerLedger(options["state"] / "consumer.ledger")
    checker = mailbox_options.checker(ledger, subject, books, shared=shared)
    loop = Consumer(subject, endpoint.address, checker, endpoint.vitals, endpoint.stop)
    endpoint.run(loop.run, loop.samples)


@cli.command()
@endpoint_options
def holder(**options: Any) -> None:
    """Hold the IPC namespace that others join."""
    endpoint = _Endpoint("", Role.HOLDER, options)
    endpoint.run(lambda: hold(endpoint.vitals, endpoint.stop), endpoint.vitals.namespace_samples)


@cli.command()
@click.option("--sysv", "keys", type=OwnerOption(settings.KEY), multiple=True, help="MECHANISM=KEY: whose that key is.")
@click.option(
    "--posix", "paths", type=OwnerOption(click.STRING), multiple=True, help="MECHANISM=PATH: whose that name is."
)
@endpoint_options
def kernel(keys: tuple[tuple[str, int], ...], paths: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Show what the kernel holds in the IPC namespace of this container."""
    owners = Owners(dict(keys), dict(paths))
    endpoint = _Endpoint("", Role.KERNEL, options)
    if not DEV_MQUEUE.is_dir():
        log.warning("%s is not mounted here: POSIX message queues cannot be shown", DEV_MQUEUE)

    def page() -> Iterable[Sample]:
        yield from endpoint.vitals.namespace_samples()
        yield from samples(Books.read(), owners)

    endpoint.run(lambda: hold(endpoint.vitals, endpoint.stop), page)


@cli.command()
@endpoint_options
def responder(**options: Any) -> None:
    """Answer by every mechanism, and probe that from inside this container. `--path` is a directory."""
    endpoint = _Endpoint("", Role.RESPONDER, options)
    here = echo.addresses(replace(endpoint.address, host=_LOOPBACK))
    prober = Prober(Placement.SAME_CONTAINER, here, endpoint.vitals, endpoint.stop)
    answering = Responder(echo.addresses(endpoint.address), endpoint.stop)
    endpoint.run(lambda: answering.during(prober.run), prober.samples, prepare=answering.start)


@cli.command()
@click.argument("placement", type=click.Choice([str(placement) for placement in Placement]))
@click.option("--once", is_flag=True, help="One round, printed as JSON, and no metrics.")
@click.option("--explain", type=click.Choice(registry.names()), help="One try, and its failed system calls, as JSON.")
@endpoint_options
def probe(placement: str, once: bool, explain: str | None, **options: Any) -> None:
    """Try to reach the responder by every mechanism, round after round. `--path` is a directory."""
    endpoint = _Endpoint("", Role.PROBE, options)
    addresses = echo.addresses(endpoint.address)
    prober = Prober(Placement(placement), addresses, endpoint.vitals, endpoint.stop)
    if explain:
        click.echo(json.dumps(explained(registry.load(explain), addresses[explain])))
    elif once:
        click.echo(json.dumps({name: asdict(tried) for name, tried in prober.round()}))
    else:
        endpoint.run(prober.run, prober.samples)


@cli.command()
@mechanism_argument
@rate_option
@size_option
@click.option("--reset", is_flag=True, help="Go back to LAB_RATE and LAB_SIZE.")
@click.option("--state", type=click.Path(path_type=Path), default=_STATE, help="The producer's state directory.")
def load(mechanism: str, rate: int, size: int, reset: bool, state: Path) -> None:
    """Change the load of the producer that runs in this container."""
    if problem := settings.check_size(mechanism, size, registry.load(mechanism).traits.max_message_bytes):
        raise click.BadParameter(problem, param_hint="--size")
    file = LoadFile(state / "load.json", Load(rate, size))
    if reset:
        file.reset()
    else:
        file.write(Load(rate, size))


@cli.command()
@mechanism_argument
@click.argument("wanted", type=click.Choice(settings.ON_OFF), required=False)
@click.option("--state", type=click.Path(path_type=Path), default=_STATE, help="The consumer's state directory.")
def sync(mechanism: str, wanted: str | None, state: Path) -> None:
    """Switch the lock of the race, for the consumer that runs in this container; without a word, back to LAB_SYNC."""
    if problem := registry.lacks(mechanism, Switch.SYNC):
        raise click.BadParameter(problem, param_hint="MECHANISM")
    file = SyncFile(state / "sync", default=True)
    if wanted is None:
        file.reset()
    else:
        file.write(wanted == "on")


def _tuned(name: str, options: dict[str, Any]) -> tuple[Mechanism, Tuning]:
    """The mechanism as asked, and all of how it works: what was not asked for is its own way."""
    asked = {switch: options[switch] for switch in Switch if options[switch] is not None}
    try:
        mechanism = registry.load(name, Tuning(Wait(options["wait"]) if options["wait"] else None, asked))
    except registry.NotOffered as error:
        raise click.BadParameter(str(error), param_hint=f"--{error.choice}") from error
    traits = mechanism.traits
    return mechanism, Tuning(Wait(options["wait"] or traits.waits[0]), {**traits.switches, **asked})


class _Endpoint:
    """What the roles have in common: the address, the signals, the vitals, the metrics page."""

    def __init__(
        self,
        mechanism: str,
        role: Role,
        options: dict[str, Any],
        tuning: Tuning = _UNTUNED,
        subject: Mechanism | None = None,
    ) -> None:
        self._mechanism = mechanism
        self._role = role
        self._metrics_port: int = options["metrics_port"]
        self._holder: str | None = options["holder"]
        self.address = Address(options["key"], options["path"], options["host"], options["port"])
        # How the lock of the race stands is the racer's to show.
        shown: dict[Switch, bool] = {switch: on for switch, on in tuning.switches.items() if switch != Switch.SYNC}
        self.vitals = Vitals(options["alive"], tuning.wait or Wait.BLOCK, shown)
        self.stop = Stop()
        self._racer: Racer | None = None
        if subject and shares_words(subject):
            wanted = SyncFile(options["state"] / "sync", default=tuning.switches[Switch.SYNC]).current
            names = registry.names()
            rounds = Rounds.of(names.index(mechanism), len(names))
            self._racer = Racer(subject, self.address, Side[role.name], wanted, rounds)

    def run(
        self,
        loop: Callable[[], None],
        samples: Callable[[], Iterable[Sample]],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve the metrics and run the loop in this, the main thread; `prepare` before there is another thread."""
        name = f"{self._mechanism} {self._role}".strip()
        logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name}: %(message)s", stream=sys.stderr)
        self.stop.on_signals()
        wake_on_time()
        prepare()
        racer = self._racer
        page = Page(self._mechanism, self._role, lambda: chain(samples(), racer.samples() if racer else ()))
        start_http_server(self._metrics_port, registry=metrics.registry(page))
        if self._holder:
            url = f"http://{self._holder}:{metrics.PORT}/metrics"
            namespaces.watch_holder(url, lambda reason: self.stop.request(reason, EXIT_SPLIT))
        if racer:
            racer.start()
        loop()
        sys.exit(self.stop.exit_code)


def main() -> None:
    """Run the command; what a person can meet ends in one line."""
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
