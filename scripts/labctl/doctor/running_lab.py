"""What `./lab doctor` sees of the lab that is on the engine: states in which `./lab status` alone leads astray."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import docker
from docker.errors import APIError, NotFound

from labctl.config import compose_file
from labctl.config.paths import ROOT
from labctl.doctor.finding import Finding, Verdict
from labctl.lab import clones, containers
from labctl.lab.containers import PROJECT_LABEL, Container
from labctl.lab.lab import Lab
from labctl.lab.prometheus import PrometheusSilent
from labctl.measured import namespace_split

_CLOCK_OFF_S = 2.0  # more than the slowest answer of an engine that is well
_NANOSECONDS = re.compile(r"(\.\d{6})\d*")
# resolv.conf(5): a name that nobody has is asked for once, for a second. getent(1) is in every image of the lab.
_LOOK_UP = "RES_OPTIONS='timeout:1 attempts:1' getent ahostsv4 {name} >/dev/null || echo {name}"


def of_lab(lab: Lab) -> Iterator[Finding]:
    """Everything about the project's containers and networks; nothing where it has none."""
    client, project = lab.client, lab.project
    found = lab.containers()
    networks = [_inspected(n) for n in client.networks.list(filters={"label": f"{PROJECT_LABEL}={project}"})]
    yield from _clones(client, project)
    yield from of_states(found)
    attached = {c.docker.id for c in found if c.state in ("running", "paused", "restarting")}
    yield from of_networks([network for network in networks if network], attached, any_container=bool(found))
    yield from _names(found)
    yield from _splits(lab, found)


def clock(client: docker.DockerClient) -> Finding:
    """The engine's clock beside this machine's: a virtual machine that slept (Docker Desktop) is behind."""
    asked = time.time()
    told = _NANOSECONDS.sub(r"\1", str(client.info()["SystemTime"]).replace("Z", "+00:00"))
    return clock_finding(datetime.fromisoformat(told).timestamp(), asked, time.time())


def clock_finding(engine: float, asked: float, answered: float) -> Finding:
    """What the engine's time tells, asked for between two moments of this machine, tells; seconds since 1970."""
    offset = max(engine - answered, 0.0) or min(engine - asked, 0.0)  # what the answer took is on neither side
    if abs(offset) <= _CLOCK_OFF_S:
        return Finding("clock", Verdict.OK, f"the engine's is within {_CLOCK_OFF_S:.0f} s of this machine's")
    word = "ahead of" if offset > 0 else "behind"
    return Finding(
        "clock",
        Verdict.BAD,
        f"the engine's is {abs(offset):,.0f} s {word} this machine's",
        "graphs end too early or too late: restart Docker Desktop or colima; or set that machine's clock (NTP)",
    )


def _clones(client: docker.DockerClient, project: str) -> Iterator[Finding]:
    folders = clones.others(containers.listed(client, project))
    if folders:
        there = [
            folder if clones.exists(folder) else f"{folder} (the folder has no lab any more)" for folder in folders
        ]
        yield Finding(
            "clone",
            Verdict.BAD,
            f"{project} was started from {', '.join(there)}, and this is {ROOT}",
            "COMPOSE_PROJECT_NAME=… for a lab of its own; or ./lab up --take-over",
        )


def of_states(found: Sequence[Container]) -> Iterator[Finding]:
    """Containers that should run and do not."""
    paused = [c for c in found if c.state == "paused"]
    if paused:
        ids = " ".join(c.id for c in paused)
        yield Finding(
            "paused", Verdict.WARN, _labels(paused), f"docker unpause {ids}; or ./lab reset, which unpauses all"
        )
    there = {c.id for c in found}
    left = [c for c in found if c.joins_ipc_of and c.joins_ipc_of not in there]
    if left:
        yield Finding(
            "IPC namespace",
            Verdict.BAD,
            "of a container that is gone, so the engine cannot start them again: "
            + ", ".join(f"{c.label} ({'still in the old one' if c.running else c.state_in_words()})" for c in left),
            "somebody made the holder anew alone; ./lab reset makes them anew, too",
        )
    ended = [c for c in found if c.state in ("created", "exited", "dead", "restarting") and c not in left]
    if ended and len(ended) < len(found):
        described = ", ".join(f"{c.label} is {c.state_in_words()}" for c in ended)
        yield Finding("stopped", Verdict.WARN, described, "docker logs tells why; ./lab up starts them")
    unhealthy = [c for c in found if c.running and c.health == "unhealthy"]
    if unhealthy:
        yield Finding("health", Verdict.WARN, f"no open channel: {_labels(unhealthy)}", "docker logs tells why")


def of_networks(networks: Sequence[dict[str, Any]], attached: set[str], *, any_container: bool) -> Iterator[Finding]:
    """Networks that `down` will stop at, or that Compose cannot tell apart.

    :param networks: as the engine describes them
    :param attached: ids of the lab's containers that are on networks
    """
    for network in networks:
        members: dict[str, dict[str, str]] = network.get("Containers") or {}
        stale = [member["Name"] for key, member in members.items() if key.startswith("ep-")]
        foreign = [
            member["Name"] for key, member in members.items() if not key.startswith("ep-") and key not in attached
        ]
        if stale:
            yield Finding(
                "network",
                Verdict.BAD,
                f"{network['Name']} is stuck: it has endpoints of containers that are gone: {', '.join(stale)}",
                "./lab down; where the network stays, restart the Docker Engine",
            )
        if foreign:
            yield Finding(
                "network",
                Verdict.WARN,
                f"{network['Name']} has containers that are not the lab's: {', '.join(foreign)}",
                f"./lab down disconnects them; or docker network disconnect {network['Name']} {' '.join(foreign)}",
            )
    if networks and not any_container:
        names = ", ".join(sorted({network["Name"] for network in networks}))
        yield Finding("network", Verdict.WARN, f"left without a container: {names}", "./lab down removes them")
    twice = [name for name, count in Counter(network["Name"] for network in networks).items() if count > 1]
    if twice:
        yield Finding(
            "network", Verdict.BAD, f"two networks of one name: {', '.join(twice)}", "./lab down, then ./lab up"
        )


def _names(found: Sequence[Container]) -> Iterator[Finding]:
    """Whether containers find each other by name, asked of the engine's DNS from inside one of each network."""
    dead: dict[str, set[str]] = {}
    asked = 0
    for network, members in _by_network(found).items():
        reader = next((c for c in members if c.service in _has_getent(found)), None)
        if reader is None:
            continue
        # Consumers that were placed and a published responder have no name of their own.
        services = sorted(({c.service for c in members} & set(compose_file.all_services())) - {reader.service})
        asked += len(services)
        if lost := _not_found(reader, services):
            dead[network] = lost
    if dead:
        described = "; ".join(f"in {network}: {', '.join(sorted(names))}" for network, names in sorted(dead.items()))
        yield Finding(
            "names",
            Verdict.BAD,
            f"the engine's DNS does not know running containers ({described})",
            "./lab down, then ./lab up (leaving a Swarm makes Docker Engine 20.10 forget names)",
        )
    elif asked:
        yield Finding("names", Verdict.OK, f"every running container is found by name ({asked} asked)")


def _by_network(found: Sequence[Container]) -> dict[str, list[Container]]:
    networks: dict[str, list[Container]] = {}
    for container in found:
        if container.running:
            for name in container.docker.attrs["NetworkSettings"]["Networks"]:
                networks.setdefault(name, []).append(container)
    return networks


def _has_getent(found: Sequence[Container]) -> set[str]:
    """The services of the lab's own image: Prometheus' and Grafana's may have no shell."""
    own = {name for name, service in compose_file.all_services().items() if "/lab:" in service["image"]}
    return {c.service for c in found} & own


def _not_found(reader: Container, services: Sequence[str]) -> set[str]:
    script = " & ".join(_LOOK_UP.format(name=shlex.quote(name)) for name in services)
    try:
        code, output = reader.docker.exec_run(["sh", "-c", f"{{ {script} & }}; wait"] if services else ["true"])
    except APIError:  # it has just ended
        return set()
    return set(output.decode(errors="replace").split()) & set(services) if code == 0 else set()


def _splits(lab: Lab, found: Sequence[Container]) -> Iterator[Finding]:
    try:
        splits = namespace_split.find(lab.prometheus, found) if found else []
    except PrometheusSilent:
        if any(c.service == "prometheus" and c.running for c in found):
            yield Finding("Prometheus", Verdict.WARN, "runs and does not answer", "docker logs tells why; ./lab up")
        return
    for split in splits:
        yield Finding("split", Verdict.BAD, str(split), "./lab up heals it")


def _inspected(network: Any) -> dict[str, Any] | None:
    """With its members, which the engine's list leaves out; None if it was removed meanwhile."""
    try:
        network.reload()
    except NotFound:
        return None
    found: dict[str, Any] = network.attrs
    return found


def _labels(found: Iterable[Container]) -> str:
    return ", ".join(container.label for container in found)
