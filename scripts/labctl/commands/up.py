"""`./lab up`: the start of the lab, step by step, and the measurements of the started pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.commands import addresses, pair_table, rescale, tables
from labctl.config import compose_file
from labctl.config.compose_file import Scale
from labctl.config.configuration import SHARED, UID, Configuration
from labctl.config.paths import ROOT
from labctl.config.values import refuse
from labctl.engine import compose, compose_override
from labctl.engine.base_images import BaseImages
from labctl.engine.images import make_ready
from labctl.faults import running
from labctl.grafana import annotation
from labctl.lab import clones, containers, diagnosis
from labctl.lab.containers import Container
from labctl.lab.lab import Lab
from labctl.measured import accounts, namespace_split
from labctl.measured.pairs import measure
from labctl.measured.traffic import wait_for_traffic
from labctl.place import place
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import say
from labctl.terminal.waiting import wait_until
from labctl.workshop.exercise import progress, publication

_RECOVERED_WITHIN_S = 30  # six health checks of a consumer


def bring_up(
    lab: Lab,
    wanted: Sequence[str],
    timeout_s: float,
    scale: Scale,
    *,
    ask_again: bool = False,
    take_over: bool = False,
) -> None:
    """Start the pairs, wait until each has moved messages, and print what was measured.

    :param ask_again: ask registries that were silent a short while ago
    :param take_over: make the containers anew that another clone started

    :raises LabError: something cannot be set up, or a pair moves nothing within `timeout_s`
    """
    images = ready(lab, ask_again=ask_again, take_over=take_over)
    before = lab.containers()
    start_pairs(lab, wanted, scale, images)
    wait_for_traffic(lab, wanted, timeout_s)

    channels = accounts.read_all([c for c in lab.containers() if c.mechanism in wanted])
    pair_table.show_pairs(accounts.with_accounts(measure(lab.prometheus, wanted), channels))
    tables.show_accounts(channels)
    addresses.require_page(lab.configuration, lab.containers)
    _publish_progress(lab)
    if images.grafana:
        addresses.require_grafana(lab.configuration, lab.containers)
    annotation.annotate(lab.configuration, before, lab.containers())
    show_lines(addresses.lines(lab.configuration, lab.containers()))


def _publish_progress(lab: Lab) -> None:
    """The page shows the exercises that were begun before this lab was made."""
    try:
        publication.publish(lab, progress.read(progress.path_of(lab.project)))
    except LabError as error:
        say(f"The page shows no progress of exercises: {error.message}")  # the file is none


def ready(lab: Lab, *, ask_again: bool = False, take_over: bool = False) -> BaseImages:
    """The images that the lab runs on, installed and built where they are missing, in the hands of Compose.

    :raises BadInput: another clone started this lab, as an engine that was only started here says
    :raises LabError: something cannot be set up
    """
    lab.client, images = make_ready(lab.configuration.values, root=ROOT, ask_again=ask_again)
    if take_over:
        clones.remove_others(lab.client, lab.project)
    else:
        clones.require_ours(containers.listed(lab.client, lab.project), lab.project, "up")
    compose_override.write(images, lab.configuration.values)
    return images


def start_pairs(lab: Lab, wanted: Sequence[str], scale: Scale, images: BaseImages) -> None:
    """Start the pairs and who observes them, and measure nothing; what runs as it should is left alone.

    :raises BadInput: the lab's containers have another user
    :raises LabError: a container does not start
    """
    services = compose_file.services_of_lab(wanted, grafana=images.grafana is not None)
    start = Start(lab, wanted)
    there = lab.containers()
    require_same_user(there, lab.configuration)
    if not there:  # once per lab, and not at each command
        for used, wanted_image in images.instead_of.items():
            say(f"The lab runs on {used}: the image {wanted_image} is missing")
        if not images.grafana and (grafana := lab.configuration.values["GRAFANA_IMAGE"]):
            say(f"The lab runs without Grafana: the image {grafana} is missing (hint: `docker load` it, then ./lab up)")
    running.end_all(lab, wanted)
    place.put_all_back(lab, wanted)
    rescale.prepare(lab, wanted, scale, _classes(lab))
    start.start(services, {**lab.configuration.environment(), **images.environment(), **_shared(scale)}, scale)
    start.heal_split()


def require_same_user(found: Sequence[Container], configuration: Configuration) -> None:
    """Refuse another LAB_UID for a lab that exists: its files keep their owner, and the new user could open none.

    :param found: the lab's containers, in any state

    :raises BadInput: one has another user
    """
    wanted = configuration.values[UID]
    services = compose_file.all_services()
    for container in found:
        has = str(container.docker.attrs["Config"].get("User") or "").partition(":")[0]
        if UID in str(services.get(container.service, {}).get("user")) and has != wanted:
            raise refuse(
                f"{UID}={wanted}",
                expected=f"{has}, the user of {configuration.project} and of its files",
                hint=f"./lab down removes both, then ./lab up; or {UID}={has}",
            )


def _classes(lab: Lab) -> dict[str, int]:
    """How many types or priorities the messages of a mechanism have."""
    return {
        "sysv_mq": lab.configuration.number("LAB_SYSV_MQ_TYPES"),
        "posix_mq": lab.configuration.number("LAB_POSIX_MQ_PRIORITIES"),
    }


def _shared(scale: Scale) -> dict[str, str]:
    """The variables of compose.yaml that tell consumers whether they are several."""
    return {name: "1" if scale.get(service, 1) > 1 else "" for name, service in SHARED.items()}


class Start:
    """The start of pairs in a lab."""

    def __init__(self, lab: Lab, wanted: Sequence[str]) -> None:
        self._lab = lab
        self._wanted = wanted

    def start(self, services: Sequence[str], environment: Mapping[str, str], scale: Scale) -> None:
        """Start the services; once more if Compose gave up at a consumer that has become healthy since."""
        try:
            compose.start(services, environment, scale)
        except LabError as error:
            # On a busy machine a consumer fails its first checks. Compose then starts none of the rest, so messages
            # cannot be waited for: the producers are missing.
            if not self._consumers():
                raise
            wait_until(lambda: not self._unhealthy(), _RECOVERED_WITHIN_S)
            if unhealthy := self._unhealthy():
                raise diagnosis.not_healthy(unhealthy, self._lab.containers(), _RECOVERED_WITHIN_S) from error
            say(f"{error.message}; the consumers are healthy now: retrying")
            compose.start(services, environment, scale)

    def heal_split(self) -> None:
        """Bring members that a crashed holder left behind into its new namespace, if there are any."""
        if not self._lab.prometheus.answers():
            return  # it has just been started, and so have the members
        splits = namespace_split.find(self._lab.prometheus, self._lab.containers())
        for split in splits:
            say(f"{split}; restarting {split.member.service}")
        namespace_split.heal(splits)

    def _consumers(self) -> list[Container]:
        """Those that were started: a producer is started when they are healthy."""
        return [
            container
            for container in self._lab.containers()
            if container.mechanism in self._wanted and not container.is_producer and container.state != "created"
        ]

    def _unhealthy(self) -> list[str]:
        """The pairs with a consumer that does not run, or has not passed its last checks."""
        return containers.mechanisms_of([c for c in self._consumers() if not (c.running and c.health == "healthy")])
