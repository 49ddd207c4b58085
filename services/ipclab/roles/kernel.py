"""The command of the kernel exporter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ipclab.bench import last_bench
from ipclab.bench.last_bench import LastBench
from ipclab.container_role import ContainerRole
from ipclab.contract.channel import Address
from ipclab.kernel_exporter import exercises
from ipclab.kernel_exporter.exporter import KernelObjects, Remembered, samples
from ipclab.kernel_exporter.owners import EchoOwners, OwnerOption, Owners
from ipclab.kernel_exporter.posix import DEV_MQUEUE
from ipclab.metrics.definitions import Role, Sample
from ipclab.options import endpoint_options
from ipclab.runtime import settings
from ipclab.runtime.lifecycle import hold, log

EXERCISES = "exercises.json"  # beside the file of the bench; `./lab exercise` leaves it there


@click.command()
@click.option("--sysv", "keys", type=OwnerOption(settings.KEY), multiple=True, help="MECHANISM=KEY: whose that key is.")
@click.option(
    "--posix", "paths", type=OwnerOption(click.STRING), multiple=True, help="MECHANISM=PATH: whose that name is."
)
@click.option("--responder", "base", type=settings.KEY, help="The responder's key: whose the matrix's objects are.")
@click.option(
    "--bench",
    "bench_file",
    type=click.Path(path_type=Path),
    help="The last bench; beside it, the exercises.",
)
@endpoint_options
def kernel(
    keys: tuple[tuple[str, int], ...],
    paths: tuple[tuple[str, str], ...],
    base: int | None,
    bench_file: Path | None,
    **options: Any,
) -> None:
    """Show what the kernel holds in the IPC namespace of this container, the last bench, and the exercises."""
    owners = Owners(dict(keys), dict(paths))
    matrix = EchoOwners() if base is None else EchoOwners.of_responder(Address(key=base))
    container = ContainerRole("", Role.KERNEL, options)
    if not DEV_MQUEUE.is_dir():
        log.warning("%s is not mounted here: POSIX message queues cannot be shown", DEV_MQUEUE)

    if bench_file:
        progress = LastBench(bench_file.with_name(EXERCISES), exercises.samples)
        faults = LastBench(bench_file.with_name(last_bench.FAULTS_FILE), last_bench.fault_samples)
        last_bench.serve(bench_file, progress.samples, faults.samples)
    remembered: Remembered = {}

    def page() -> Iterable[Sample]:
        yield from container.status.namespace_samples()
        yield from samples(KernelObjects.read(), owners, matrix, remembered)

    container.run(lambda: hold(container.status, container.stop), page)
