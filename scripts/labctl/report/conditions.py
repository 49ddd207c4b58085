"""Under which conditions the report's numbers were measured: the machine, the versions, the settings."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import docker

from labctl.config.configuration import GRAFANA_URL
from labctl.config.paths import ROOT
from labctl.engine import engine
from labctl.engine.machine import this_machine
from labctl.lab.containers import Container
from labctl.lab.lab import Lab
from labctl.measured import races
from labctl.terminal.errors import LabError

_GIB = 2**30

Facts = list[tuple[str, str]]


def machine_and_versions(lab: Lab) -> Facts:
    """What runs on what. What cannot be found out is said to be unknown, and why."""
    facts: Facts = [
        ("this machine", f"{this_machine().name}, {platform.system()} {platform.release()}, {platform.machine()}"),
        ("its CPUs", f"{os.cpu_count()} of {_cpu_model() or 'model unknown: no /proc/cpuinfo'}"),
        ("the lab", f"{revision()}; project {lab.project}"),
        ("Python of ./lab", platform.python_version()),
    ]
    try:
        facts += _engine(lab.client)
        facts += _containers(lab.containers())
    except LabError as error:
        facts.append(("Docker Engine", f"unknown: {error.message}"))
    facts.append(("Prometheus", lab.prometheus.version()))
    return facts


def settings(lab: Lab) -> Facts:
    """Every setting as `./lab` has it now, and the switches as the pairs say that they stand."""
    # An address may hold a password, and has no part in any number.
    facts: Facts = [
        (name, value or "(empty)") for name, value in lab.configuration.values.items() if name != GRAFANA_URL
    ]
    for title, label, metric in (("CPUs", "cpus", "ipc_cpus_info"), ("waits by", "wait", "ipc_wait_info")):
        ends: dict[str, set[str]] = {}
        for sample in lab.prometheus.query(f"count by (mechanism, role, {label}) ({metric}{{mechanism!=''}})"):
            ends.setdefault(sample.labels[label], set()).add(f"{sample.labels['mechanism']} {sample.labels['role']}")
        facts += [(f"{title} now: {word}", ", ".join(sorted(who))) for word, who in sorted(ends.items())]
    for line in races.lines(races.read(lab.prometheus)):
        mechanism, _, states = line.partition(": ")
        facts.append((f"{mechanism} now", states))
    return facts


def _engine(client: docker.DockerClient) -> Facts:
    information = client.info()
    return [
        (
            engine.name_of(client.version()),
            f"{information['ServerVersion']} on {information['OperatingSystem']}, kernel "
            f"{information['KernelVersion']}, {information['NCPU']} CPUs, {information['MemTotal'] / _GIB:.1f} GiB",
        )
    ]


def _containers(found: list[Container]) -> Facts:
    running = [container for container in found if container.running]
    images = sorted({str(c.docker.attrs["Config"]["Image"]) for c in running})
    return [("containers now", f"{len(running)} running, of {', '.join(images) or 'no image'}")]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def revision() -> str:
    """The commit that this clone is at."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "revision unknown: no git"
    return f"revision {done.stdout.strip()}" if done.returncode == 0 else "revision unknown: no clone"
