"""The roles on the command line: `python -m ipclab student-child --confirm`, `python -m ipclab student-ledger …`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.options import STATE
from ipclab.runtime.lifecycle import TICK_S, Stop, wake_on_time
from ipclab.student import DEATHS, DEATHS_VARIABLE, LEDGER, PAUSED, ledger_end, racer
from ipclab.student.child import Child, Deaths
from ipclab.student.relay import Relay, make_fifo

_state_option = click.option(
    "--state", type=click.Path(path_type=Path), envvar="LAB_STUDENT_STATE", default=STATE, help="Where the ledger is."
)


@click.command("student-child")
@click.option("--confirm", is_flag=True, help="Write each message's number to the standard output, 8 bytes.")
@_state_option
def child(state: Path, *, confirm: bool) -> None:
    """Receive messages on the standard input until its end, and account for them."""
    numbers = [int(word) for word in os.environ.get(DEATHS_VARIABLE, "").split(",") if word]
    checker = Checker(ConsumerLedger(state / LEDGER), ordered=True)
    reply = (lambda number: os.write(1, number)) if confirm else None
    try:
        Child(checker, Deaths(state / DEATHS, numbers), reply).run(0)
    except BrokenPipeError:
        raise SystemExit("error: nobody reads the confirmations: EPIPE") from None


@click.command("student-ledger")
@click.option("--source", type=click.Path(path_type=Path), required=True, help="FIFO that the producer writes.")
@click.option("--target", type=click.Path(path_type=Path), required=True, help="FIFO that the student reads.")
@click.option("--ledger", type=click.Path(path_type=Path), required=True, help="Socket that the student writes to.")
@click.option("--most", type=click.IntRange(1, 4096), required=True, help="Bytes of a piece, at most.")
@click.option("--seed", type=int, default=0, help="Draws the sizes of the pieces.")
@click.option("--pause", "pauses", type=click.IntRange(1), multiple=True, help="Byte count at which to wait: SIGUSR1.")
@_state_option
def ledger(
    source: Path, target: Path, ledger: Path, most: int, seed: int, pauses: tuple[int, ...], state: Path
) -> None:
    """Pass the producer's bytes on in small pieces, and account for the messages that the student hands over."""
    stop = Stop()
    stop.on_signals()
    wake_on_time()
    checker = Checker(ConsumerLedger(state / LEDGER), ordered=True)
    with ledger_end.listen(ledger) as listener:
        relay = Relay(make_fifo(source), make_fifo(target), most, seed, pauses, state / PAUSED)
        signal.signal(signal.SIGUSR1, lambda *_: relay.resume())
        relay.start()
        ledger_end.account(listener, checker, lambda: stop.requested, TICK_S)
        relay.stop()


@click.command("student-racer")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--words", type=click.Path(path_type=Path), required=True, help="File that both racers map.")
@click.option("--number", type=click.IntRange(0, 1), required=True, help="Which of the two racers this is.")
@click.option("--count", type=click.IntRange(1), required=True, help="How often to add 1.")
def race(file: Path, words: Path, number: int, count: int) -> None:
    """Let the student's function add 1 to a shared counter, beside another racer."""
    try:
        function = racer.function_of(file)
    except racer.NoFunction as error:
        raise SystemExit(f"error: {error}") from None
    racer.race(racer.map_words(words), number, count, function, words.parent)
