"""`./lab doctor`: is this machine fit for the lab? Looks at everything and changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import docker
from rich.text import Text

from labctl.config.configuration import PUBLISHED_PORTS, Configuration
from labctl.doctor import running_lab
from labctl.doctor.finding import Finding, Verdict
from labctl.engine import base_images, compose, compose_override, engine
from labctl.engine.machine import in_container, this_machine
from labctl.grafana import client as grafana_access
from labctl.grafana import dashboards
from labctl.grafana import panels as grafana_check
from labctl.grafana.client import GrafanaSilent
from labctl.lab import containers, ports
from labctl.lab.lab import Lab
from labctl.lab.prometheus import HOST_NETWORK
from labctl.terminal.errors import LabError
from labctl.terminal.printing import new_table, show_table
from labctl.terminal.progress import step


def show_findings(findings: Sequence[tuple[str, str, str, str]]) -> None:
    """What was looked at, ok or warn or bad, what was found, what to change."""
    colours = {"ok": "green", "warn": "yellow", "bad": "red"}
    table = new_table()
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("change", overflow="fold")
    for what, verdict, found, change in findings:
        table.add_row(what, Text(verdict, style=colours[verdict]), Text(found), Text(change))
    show_table(table)


_OLDEST_ENGINE = (20, 10)
_OLDEST = ".".join(map(str, _OLDEST_ENGINE))
_GIB = 2**30
# The containers' mem_limits add up to about this; a lab at the default load uses half of it.
_MEMORY_BYTES = (1 * _GIB, 2 * _GIB)
_DISK_BYTES = (2 * _GIB, 4 * _GIB)  # the images and a build's leavings
_CPUS = (1, 2)


def examine() -> None:
    """Print the findings; exit code 1 if one of them is bad."""
    with step("Looking at this machine"):
        findings = list(_findings())
    show_findings([(f.what, f.verdict.value, f.found, f.change) for f in findings])
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise click.exceptions.Exit(1)


# What was tried on each architecture. docs/decisions/0046-memory-order.md has the conditions.
_TRIED = {
    "amd64": "",
    "arm64": (
        "under qemu-user, on 2026-11-28: the image builds; 146 unit tests (ring, atomics, ledgers, contract) and "
        "24 conformance tests (messages of the three shared memories) pass. Never tried on arm64: every other test, "
        "a running lab, its command line, a processor that reorders"
    ),
}


def machine_finding(system: str, architecture: str) -> Finding:
    """Only what was tried is called ok."""
    tried = _TRIED.get(architecture, "nothing was ever tried on this architecture; the lab is tested on amd64")
    return Finding("machine", Verdict.WARN if tried else Verdict.OK, f"{system}, {architecture}", tried)


def _findings() -> Iterator[Finding]:
    machine = this_machine()
    yield machine_finding(machine.shown_name or machine.system, machine.architecture)
    installs = machine.installs_packages and machine.may_become_root
    try:
        client = engine.connect(timeout_s=10)
    except LabError as error:
        setup = installs and os.environ.get("DOCKER_HOST", engine.DEFAULT_SOCKET) == engine.DEFAULT_SOCKET
        verdict = Verdict.WARN if setup else Verdict.BAD
        yield Finding("engine", verdict, error.message, "./lab up installs and starts it" if setup else error.hint)
        client = None
    else:
        yield from _engine(client)
        yield running_lab.clock(client)
    yield compose_finding(client, may_install=installs)
    try:
        configuration = Configuration.load()
    except LabError as error:
        yield Finding("settings", Verdict.BAD, error.message, error.hint)
        return
    yield Finding("settings", Verdict.OK, "all valid")
    yield from _ports(configuration, client)
    if client is not None:
        yield _images(client, configuration)
        yield from _not_pulled()
        yield from running_lab.of_lab(Lab(configuration, client))
        yield from _grafana(client, configuration)


# docs/decisions/0075-podman-as-the-engine.md
_TRIED_WITH_PODMAN = (
    "tried with Podman 4.3.1 on 2026-11-29: kube; up, status, load, place, fault start, reset and down with the pairs "
    "fifo and sysv_mq, images of Docker's, and health checks by hand: Podman runs them by timers of systemd. Podman "
    "builds no image of the lab: it has no BuildKit. Never tried: the rest"
)


def _engine(client: docker.DockerClient) -> Iterator[Finding]:
    answer = client.version()
    version = str(answer["Version"])
    if (name := engine.name_of(answer)) != "Docker Engine":
        found = f"{name} {version}, with Docker's API {answer['ApiVersion']}"
        yield Finding("engine", Verdict.WARN, found, _TRIED_WITH_PODMAN)
    else:
        yield _docker_engine(version)
    information = client.info()
    yield from container_finding(in_container(), str(information["Name"]), socket.gethostname())
    yield from security_findings([str(option) for option in information.get("SecurityOptions") or []])
    yield cpus_finding(int(information["NCPU"]))
    memory = int(information["MemTotal"])
    verdict = _at_least(memory, *_MEMORY_BYTES)
    advice = "" if verdict is Verdict.OK else f"{_MEMORY_BYTES[1] / _GIB:.0f} GiB or more (of the engine's machine)"
    yield Finding("memory", verdict, f"{memory / _GIB:.1f} GiB", advice)
    folder = str(information["DockerRootDir"])
    if Path(folder).is_dir():  # the engine may be on another machine, or in a virtual one
        free = shutil.disk_usage(folder).free
        verdict = _at_least(free, *_DISK_BYTES)
        advice = "" if verdict is Verdict.OK else "free some: docker system prune"
        yield Finding("disk", verdict, f"{free / _GIB:.1f} GiB free in {folder}", advice)


def container_finding(inside: bool, engine_host: str, here: str) -> Iterator[Finding]:
    """Of a container with the engine's socket: one with the host's network has the host's name, and its ports.

    :param inside: whether `./lab` runs in a container
    """
    if inside and engine_host != here:
        yield Finding("container", Verdict.WARN, f"not the engine's host {engine_host}", HOST_NETWORK)


def cpus_finding(cpus: int) -> Finding:
    """Those of the engine's machine, where the containers run; `./lab` may be allowed fewer of its own."""
    return Finding("CPUs", _at_least(cpus, *_CPUS), str(cpus), "" if cpus >= _CPUS[1] else "2 or more")


_SECURITY = {
    "selinux": (
        "SELinux",
        Verdict.OK,
        "the engine gives containers labels",
        "where the same user gets EACCES: ausearch -m AVC -ts recent",
    ),
    "rootless": (
        "rootless",
        Verdict.WARN,
        "the engine runs without root",
        "limits need cgroup v2 with delegation; ./lab hosts and ./lab swarm start no engine there; never tried",
    ),
    "userns": (
        "user namespaces",
        Verdict.WARN,
        "the engine gives containers other user ids than the host's (userns-remap)",
        "./lab hosts and ./lab swarm start no engine there; never tried",
    ),
}


def security_findings(options: Sequence[str]) -> Iterator[Finding]:
    """What the engine's `SecurityOptions` (GET /info), such as "name=rootless", change for the lab."""
    names = {field.partition("=")[2] for option in options for field in option.split(",") if field.startswith("name=")}
    for name, finding in _SECURITY.items():
        if name in names:
            yield Finding(*finding)


def _docker_engine(version: str) -> Finding:
    new_enough = (compose.parse_version(version) or (0, 0)) >= _OLDEST_ENGINE
    verdict = Verdict.OK if new_enough else Verdict.BAD
    return Finding("engine", verdict, version, "" if new_enough else f"{_OLDEST} or newer")


def compose_finding(client: docker.DockerClient | None, *, may_install: bool) -> Finding:
    """The Compose plugin: whether it is new enough for the lab, and for the engine where one answers."""
    try:
        answer = subprocess.run(
            ["docker", "compose", "version", "--short"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            check=False,
        )
        text = answer.stdout.strip() if answer.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        text = ""
    needed = f"{compose.OLDEST[0]}.{compose.OLDEST[1]} or newer"
    if (compose.parse_version(text) or (0, 0)) >= compose.OLDEST:
        try:
            if client is not None:
                compose.require_common_api(client)
        except LabError as error:
            return Finding("Compose", Verdict.BAD, error.message, error.hint)
        return Finding("Compose", Verdict.OK, text)
    advice = f"{needed}; " + ("./lab up installs it" if may_install else "https://docs.docker.com/compose/install")
    return Finding("Compose", Verdict.WARN if may_install else Verdict.BAD, text or "no `docker compose`", advice)


def _ports(configuration: Configuration, client: docker.DockerClient | None) -> Iterator[Finding]:
    for name in PUBLISHED_PORTS:
        what = f"port {configuration.values[name]}"
        if client is None and ports.in_use(configuration.number(name)):
            yield Finding(what, Verdict.WARN, "in use; without an engine the process is unknown", "see engine")
            continue
        try:
            ports.check_free(configuration, name)
        except LabError as error:
            yield Finding(what, Verdict.BAD, "another process listens on it", error.hint)
        else:
            yield Finding(what, Verdict.OK, f"free, or this lab's own ({name})")


def _images(client: docker.DockerClient, configuration: Configuration) -> Finding:
    """What the engine has of the images that the lab is built on. No registry is asked: that may count as a pull."""
    found = base_images.present(client, configuration.values)
    parts = [
        f"{image} is here" if has == image else f"{has} stands in for {image}" if has else f"{image} is not here"
        for image, has in found.items()
    ]
    absent = [image for image, has in found.items() if has != image]
    if not absent:
        return Finding("images", Verdict.OK, "; ".join(parts))
    reasons = dict.fromkeys(reason for image in absent if (reason := base_images.silent(client, image)))
    silence = f" (asked in the last ten minutes: {'; '.join(reasons)})" if reasons else ""
    advice = "./lab up --pull asks the registry now; without one: ./lab bundle load FILE.tar"
    return Finding("images", Verdict.WARN, "; ".join(parts) + silence, advice)


def _not_pulled() -> Iterator[Finding]:
    """What the last `./lab up` of this clone went on without."""
    images: dict[str, list[str]] = {}
    for image, reason in compose_override.not_pulled().items():
        images.setdefault(reason, []).append(image)
    for reason, names in images.items():
        found = f"not pulled: {', '.join(names)} ({reason})"
        yield Finding("last up", Verdict.WARN, found, "`docker pull` or `docker load` them, then ./lab up")


def _grafana(client: docker.DockerClient, configuration: Configuration) -> Iterator[Finding]:
    """Of a lab that runs and has one: are the dashboards there, and do all their panels have data?"""
    found = containers.of_project(client, configuration.project)
    if not any(container.running for container in found):
        return
    try:
        grafana = grafana_access.find(configuration, found)
        if grafana is None:
            return
        wanted = {dashboard.uid: dashboard.title for dashboard in dashboards.shipped()}
        if absent := grafana_check.missing(grafana, wanted):
            yield Finding(
                "Grafana", Verdict.BAD, f"not loaded: {', '.join(absent.values())}", "./lab down, then ./lab up"
            )
        grafana_check.require_data(grafana)
        asked = 0
        for uid in sorted(wanted.keys() - absent.keys()):
            panels, empty = grafana_check.empty_panels(grafana, uid)
            asked += panels
            if empty:
                yield Finding(
                    wanted[uid], Verdict.WARN, f"no data: {', '.join(empty)}", "right if their pairs do not run"
                )
    except GrafanaSilent as error:
        yield Finding("Grafana", Verdict.WARN, error.message, error.hint)
    except LabError as error:
        yield Finding("Grafana", Verdict.BAD, error.message, error.hint)
    else:
        if not absent:
            yield Finding("Grafana", Verdict.OK, f"dashboards loaded: {len(wanted)}; panels asked for data: {asked}")


def _at_least(amount: float, bad_below: float, warn_below: float) -> Verdict:
    if amount < bad_below:
        return Verdict.BAD
    return Verdict.WARN if amount < warn_below else Verdict.OK
