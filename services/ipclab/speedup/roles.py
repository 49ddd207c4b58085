"""The two roles on the command line: `python -m ipclab speedup-coordinator sysv_mq --workers 2 …`.

The coordinator prints its results for `./lab speedup` as JSON, one document a line.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ipclab import mechanisms
from ipclab.runtime import settings
from ipclab.runtime.lifecycle import wake_on_time
from ipclab.speedup import job
from ipclab.speedup.coordinator import WrongResult, compare, dismiss, wait_until_ready
from ipclab.speedup.messages import NotAMessage
from ipclab.speedup.topology import Topology
from ipclab.speedup.worker import work
from ipclab.speedup.worker_pool import WorkerPool


def _topology_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the addresses, with the defaults of the containers of `./lab speedup`."""
    for option in (
        click.option("--key", type=settings.KEY, default=1, help="First System V key."),
        click.option("--path", type=click.Path(path_type=Path), default=Path("/channel/speedup"), help="Names' begin."),
        click.option("--hosts", default="speedup-{}", help="Hosts' names; {} is the worker, or 0: the coordinator."),
        click.option("--port", type=settings.PORT, default=9000, help="Port of every host."),
    ):
        command = option(command)
    return click.argument("mechanism", type=click.Choice(mechanisms.names()))(command)


@click.command("speedup-coordinator")
@_topology_options
@click.option("--workers", type=job.WORKERS, required=True, help="How many there are.")
@click.option("--job", "limit", type=job.JOB, required=True, help="Primes below.")
@click.option("--chunks", type=job.CHUNKS, required=True, help="Tasks it is split into.")
@click.option("--rounds", type=job.ROUNDS, required=True, help="How often to compare.")
def coordinator(mechanism: str, workers: int, limit: int, chunks: int, rounds: int, **where: Any) -> None:
    """Count primes alone and with workers, and print the times of each round."""
    wake_on_time()
    loaded = mechanisms.load(mechanism)
    try:
        with WorkerPool(loaded, Topology(loaded.traits, **where), workers) as pool:
            wait_until_ready(pool)
            _print(cpus=len(os.sched_getaffinity(0)), python=platform.python_version())
            for result in compare(pool, limit, chunks, rounds):
                _print(**asdict(result))
            dismiss(pool)
    except (WrongResult, NotAMessage) as error:
        raise SystemExit(f"error: {error}") from error


@click.command("speedup-worker")
@_topology_options
@click.option("--number", type=job.WORKERS, required=True, help="Which of the workers this is.")
def worker(mechanism: str, number: int, **where: Any) -> None:
    """Count the primes of each task until the coordinator sends Stop."""
    wake_on_time()
    loaded = mechanisms.load(mechanism)
    try:
        work(loaded, Topology(loaded.traits, **where), number)
    except NotAMessage as error:
        raise SystemExit(f"error: {error}") from error


def _print(**document: object) -> None:
    click.echo(json.dumps(document))
