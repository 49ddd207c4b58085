"""The commands that `./lab` runs in a container beside its role, or in one of their own."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from ipclab import mechanisms
from ipclab.bench.agent import Agent
from ipclab.contract.channel import Switch
from ipclab.options import STATE, mechanism_argument
from ipclab.pair.parent_child import talk
from ipclab.runtime import settings
from ipclab.runtime.overrides import lock_override


@click.command()
@click.option("--round-trips", type=click.IntRange(2, 1_000_000), default=10_000)
@click.option("--size", type=click.IntRange(4, 1 << 20), default=64, help="Bytes a message.")
def fork(round_trips: int, size: int) -> None:
    """Talk with a child through two anonymous pipes; print what the kernel says of them, and the times, as JSON."""
    click.echo(json.dumps(asdict(talk(round_trips, size))))


@click.command()
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


@click.command("bench-agent")
def bench_agent() -> None:
    """Start the endpoints of a bench, as stdin says. See `ipclab.bench.agent`."""
    sys.exit(Agent().serve())
