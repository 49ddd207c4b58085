"""`./lab speedup`: one job, alone and split over worker containers, and what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from docker.models.containers import Container as DockerContainer

from ipclab.contract.channel import Traits
from labctl.config.paths import ROOT
from labctl.config.traits import traits_of
from labctl.engine.compose import ensure_compose
from labctl.engine.images import ensure_images
from labctl.experiments.speedup import kept, table
from labctl.experiments.speedup.containers import Watch, worker_containers
from labctl.experiments.speedup.results import Comparison
from labctl.lab.lab import Lab
from labctl.lab.project_lock import changing
from labctl.terminal.progress import Step, step


def compare(
    lab: Lab,
    mechanism: str,
    workers: Sequence[int],
    *,
    limit: int,
    chunks: int,
    rounds: int,
    as_json: bool,
) -> None:
    """Do the job with each number of workers, one after the other, and print the comparison.

    :raises LabError: no engine, no image, or a container failed; nothing is left running
    """
    client = lab.client
    traits = traits_of(mechanism)
    job = ["--job", str(limit), "--chunks", str(chunks), "--rounds", str(rounds)]
    with changing(lab.project, "./lab speedup"):
        ensure_compose()
        ensure_images(client, lab.configuration.values, root=ROOT)
        found = [_with_workers(lab, mechanism, traits, count, job) for count in workers]
    table.show(mechanism, traits, limit, chunks, found, as_json)
    kept.keep(lab.project, mechanism, limit, chunks, found, at=time.time())


def _with_workers(
    lab: Lab,
    mechanism: str,
    traits: Traits,
    workers: int,
    job: list[str],
) -> Comparison:
    image = lab.configuration.lab_image
    title = f"Sharing the job among {workers} workers" if workers > 1 else "Handing the job to 1 worker"
    with step(title) as current, worker_containers(lab.client, lab.project, image, traits.requires) as containers:
        watch = Watch(lab.client, containers)
        try:
            coordinator = containers.start_coordinator(mechanism, ["--workers", str(workers), *job])
            watch.start()
            for number in range(1, workers + 1):
                current.detail(f"starting worker {number}")
                containers.start_worker(mechanism, number)
            documents = list(_followed(coordinator, current))
            exit_code = int(coordinator.wait()["StatusCode"])
            if exit_code:
                raise watch.failure(mechanism, exit_code)
        finally:
            watch.close()
    conditions, *found = documents
    return Comparison(workers, conditions["cpus"], conditions["python"], found)


def _followed(coordinator: DockerContainer, current: Step) -> Iterator[dict[str, Any]]:
    """What the coordinator prints, until it ends."""
    text = b""
    for part in coordinator.logs(stream=True, follow=True, stdout=True, stderr=False):
        *lines, text = (text + part).split(b"\n")
        for line in lines:
            document: dict[str, Any] = json.loads(line)
            current.detail(f"round {document['round']} done" if "round" in document else "measuring")
            yield document
