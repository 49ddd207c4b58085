"""What a soak reads of the lab: the ledgers of the pairs, what engine and kernel hold, and what the containers use."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress

from docker.models.containers import Container as DockerContainer

from ipclab.accounting.ledger import LedgerError, corrupt_in, producer_in, streams_in
from ipclab.options import STATE
from ipclab.runtime.overrides import LOAD_FILE, Load
from labctl.faults.soak.audit import Reading
from labctl.faults.soak.leaks import Inventory, Sample
from labctl.lab import state_files
from labctl.lab.containers import PROJECT_LABEL, Container, of_pair, read_in, run_in
from labctl.lab.lab import Lab
from labctl.lab.prometheus import PrometheusSilent
from labctl.measured import accounts
from labctl.measured.pairs import fresh
from labctl.terminal.errors import LabError
from labctl.terminal.signals import held_back
from labctl.terminal.waiting import wait_until

_HOLDER = "holder"
_REASONS = ("channel", "producer_restart", "consumer_restart")
_SETTLED_WITHIN_S = 60
_QUIET = Load(rate=1, size_bytes=1024)
_WATCHED = {"memory": "ipc_container_memory_bytes", "descriptors": "ipc_open_descriptors"}
_BEGAN = "ipc_process_start_time_seconds"
# What a process has just begun with grows for a while: pages of its parent that it writes to become its own.
_WARM_UP_S = 60
_KEPT_S = 10
# Every object of an IPC namespace and of its /dev/shm, by kind.
_COUNT_OBJECTS = (
    "for kind in shm sem msg; do echo $kind $(($(wc -l < /proc/sysvipc/$kind) - 1)); done; "
    "for folder in /dev/shm /dev/mqueue; do echo $folder $(ls $folder | wc -l); done"
)


def sides(found: Sequence[Container], mechanism: str) -> tuple[Container, Container]:
    """The producer and the consumer of a pair.

    :raises LabError: there is not one of each
    """
    pair = [container for container in of_pair(found, mechanism) if not container.is_one_off]
    producers = [container for container in pair if container.is_producer]
    consumers = [container for container in pair if not container.is_producer]
    if len(producers) != 1 or len(consumers) != 1 or accounts.is_shared(consumers, mechanism):
        raise LabError(
            f"{mechanism} has {len(producers)} producers and {len(consumers)} consumers; a soak audits one of each",
            hint="./lab reset",
        )
    return producers[0], consumers[0]


def ledgers(producer: DockerContainer, consumer: DockerContainer) -> Reading | None:
    """What the ledgers of a pair say, the producer's first; None while one cannot be read.

    Numbers of the same producer count, so a ledger that a reset emptied would show.
    """
    try:
        of_producer = state_files.read(producer, str(STATE))["producer.ledger"]
        of_consumer = state_files.read(consumer, str(STATE))["consumer.ledger"]
        identity, sent, _ = producer_in(of_producer)
        streams = streams_in(of_consumer)
        corrupt = corrupt_in(of_consumer)
    except (KeyError, LedgerError):
        return None
    stream = streams.get(identity)
    if stream is None:
        return Reading(sent, 0, dict.fromkeys(_REASONS, 0), 0, corrupt)
    lost = (stream.lost_in_channel, stream.lost_at_producer_restart, stream.lost_at_consumer_restart)
    return Reading(sent, stream.received, dict(zip(_REASONS, lost, strict=True)), stream.duplicate, corrupt)


class Quiet:
    """All pairs under one message a second, so that nothing is on the way; their load comes back at the end."""

    def __init__(self, pairs: Mapping[str, tuple[Container, Container]]) -> None:
        self._pairs = pairs
        self._loads: dict[str, bytes | None] = {}

    def __enter__(self) -> Quiet:
        try:
            for mechanism, (producer, _) in self._pairs.items():
                self._loads[mechanism] = state_files.read(producer.docker, str(STATE)).get(LOAD_FILE)
                state_files.write(producer.docker, str(STATE), LOAD_FILE, _QUIET.text().encode())
        except BaseException:  # Ctrl-C too
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with held_back():
            for mechanism, load in self._loads.items():
                producer = self._pairs[mechanism][0].docker
                if load is None:
                    run_in(producer, ["rm", "-f", str(STATE / LOAD_FILE)])
                else:
                    state_files.write(producer, str(STATE), LOAD_FILE, load)

    def settled(self) -> dict[str, Reading]:
        """The ledgers of every pair at a moment with nothing in flight; of one that has none, as they are."""
        readings: dict[str, Reading] = {}

        def all_settled() -> bool:
            for mechanism, (producer, consumer) in self._pairs.items():
                last = readings.get(mechanism)
                if (last is None or last.in_flight) and (seen := ledgers(producer.docker, consumer.docker)):
                    readings[mechanism] = seen
            return len(readings) == len(self._pairs) and not any(r.in_flight for r in readings.values())

        wait_until(all_settled, _SETTLED_WITHIN_S)
        return readings


def volumes_of(container: DockerContainer) -> set[str]:
    """The volumes of a container, also those without a name of ours."""
    return {mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"}


def inventory(lab: Lab, seen: Set[str] = frozenset()) -> Inventory:
    """What there is now.

    :param seen: volumes of containers that are gone by now; no label says whose an anonymous one is
    """
    found = lab.containers()
    label = {"label": f"{PROJECT_LABEL}={lab.project}"}
    volumes = {str(volume.name) for volume in lab.client.volumes.list(filters=label)}
    volumes |= {str(volume.name) for volume in lab.client.volumes.list()} & seen
    for container in found:
        volumes |= volumes_of(container.docker)
    return Inventory(
        {container.label: container.state for container in found},
        frozenset(volumes),
        frozenset(str(network.name) for network in lab.client.networks.list(filters=label)),
        kernel_objects(holder_of(found)),
    )


def holder_of(found: Sequence[Container]) -> DockerContainer | None:
    """The holder of the IPC namespace; None where no pair needs one."""
    return next((container.docker for container in found if container.service == _HOLDER), None)


def kernel_objects(holder: DockerContainer | None) -> dict[str, int]:
    """How many objects the holder's IPC namespace and its /dev/shm hold, by kind; none without a holder that runs."""
    output = _output(holder, _COUNT_OBJECTS) if holder else ""
    return {kind: int(count) for kind, count in (line.split() for line in output.splitlines())}


def most_used(metric: str) -> str:
    """The query for what a role of a mechanism uses: of several containers (the probes), the one with most counts.

    What comes and goes within some seconds is left out: a probe makes a ring for each of its questions. A container
    that a fault has restarted counts again after its first minute.
    """
    kept = f"min_over_time({metric}[{_KEPT_S}s])"
    warm = f"on (instance) (time() - {_BEGAN} > {_WARM_UP_S})"
    return f"max by (mechanism, role) ({kept} and {fresh(metric)} and {warm})"


class Samples:
    """What the lab's own containers use, over time: series by kind and by mechanism and role.

    Prometheus and Grafana show no such metrics: their memory is a cache of their databases, within their mem_limit.
    """

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], list[Sample]] = {}
        self._began = time.monotonic()

    def take(self, lab: Lab, holder: DockerContainer | None) -> None:
        """One sample: three questions to Prometheus, which has asked every container within the last seconds."""
        at = time.monotonic() - self._began
        with suppress(PrometheusSilent):  # a sample less
            lives = _by_role(lab, f"max by (mechanism, role) ({fresh(_BEGAN)})")
            for kind, metric in _WATCHED.items():
                for of, value in _by_role(lab, most_used(metric)).items():
                    self.series.setdefault((kind, of), []).append(Sample(at, value, lives.get(of, 0.0)))
        if objects := kernel_objects(holder):
            self.series.setdefault(("kernel_objects", "the IPC namespace"), []).append(
                Sample(at, sum(objects.values()))
            )


def _by_role(lab: Lab, query: str) -> dict[str, float]:
    return {
        " ".join(filter(None, (sample.labels.get("mechanism"), sample.labels.get("role")))): sample.value
        for sample in lab.prometheus.query(query)
    }


def kernel_drops(lab: Lab, mechanism: str, last_s: float) -> int:
    """How many datagrams the kernel dropped for want of room in the last seconds, by its own count.

    The count begins at 0 with each life of the consumer.

    :raises PrometheusSilent: Prometheus does not answer
    """
    selector = f"ipc_kernel_drops_total{{mechanism='{mechanism}'}}[{last_s:.0f}s]"
    dropped = 0.0
    for line in lab.prometheus.query_samples(selector):
        steps = zip(line.values[:1] + line.values, line.values, strict=False)
        dropped += sum(now - before if now >= before else now for before, now in steps)
    return int(dropped)


def _output(container: DockerContainer, script: str) -> str:
    try:
        ran = read_in(container, ["sh", "-c", script])
    except LabError:  # it ended, or was removed
        return ""
    return ran.stdout.decode() if ran.code == 0 else ""
