"""A lab of the tests' own: its project name, its ports, and what one wants to ask of it."""

from __future__ import annotations

import os
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import docker
import requests
from docker.models.containers import Container
from prometheus_client.parser import text_string_to_metric_families

from ipclab.metrics import definitions as metrics
from ipclab.options import STATE
from ipclab.runtime.overrides import LOAD_FILE, Load
from labctl.config.configuration import Configuration
from labctl.doctor import running_lab
from labctl.faults import container as fault_container
from labctl.lab.containers import read_in
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from support.forked import run_module
from support.ports import free_ports

ROOT = Path(__file__).parents[3]


# Which part of the tests this process runs, of those that `./lab test` runs at the same time; "" is all of them.
PART = os.environ.pop("LAB_TEST_PART", "")  # `./lab` refuses a LAB_ variable that is no setting
# What is about sending and losing, or waits for a full buffer, has the usual load; elsewhere a smaller one leaves the
# CPUs to the tests.
_LIGHT_LOAD = {"LAB_RATE": "50"} if PART in ("all", "few") else {}
# What is drawn anew each day is drawn from the day of the year, so that it can be repeated.
DAY = int(os.environ.pop("LAB_TEST_DAY", "") or time.gmtime().tm_yday)
# Other clones may run their tests on the same engine.
PROJECT = f"ipclabtest{zlib.crc32(str(ROOT).encode()):08x}{PART}"
T = TypeVar("T")
_OF_TESTS = ("LAB_PICTURES",)  # the tests' own; ./lab refuses a setting that it does not know
_PROJECT_LABEL = "com.docker.compose.project"
_NUMBER_LABEL = "com.docker.compose.container-number"  # an image that Compose built bears the project's name too
_SERVICE_LABEL = "com.docker.compose.service"
# Commands that nothing is installed for first. The script and the imports of Python are half of what they cost.
_FORKED = {"exercise", "fault", "hosts", "load", "lock", "matrix", "place", "reset", "status", "swarm", "watch"}
_LOAD = STATE / LOAD_FILE  # of a producer, in its container


def wait_until(what: str, within_s: float, look: Callable[[], T | None]) -> T:
    """Look again and again until something true is seen; fail with what was waited for."""
    deadline = time.monotonic() + within_s
    pause = 0.1
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within_s} s: {what} (last seen: {seen!r})"
        time.sleep(pause)


def printed(container: Container, command: Sequence[str]) -> str:
    """What a command that only reads and prints says in a container; it runs again where the engine lost that."""
    ran = read_in(container, command)
    assert ran.code == 0, ran.said
    return ran.stdout.decode()


class Stack:
    """One lab by project name."""

    def __init__(self, project: str) -> None:
        self.project = project
        ports = free_ports()
        self.prometheus_port = int(ports["LAB_PROMETHEUS_PORT"])
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in _OF_TESTS},
            "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_PARALLEL_LIMIT": "1",  # see docs/decisions/0011-serial-start-and-stop.md
            **_LIGHT_LOAD,
            **ports,
        }

    @cached_property
    def client(self) -> docker.DockerClient:
        """The engine; asked for late, because on a bare machine it is `./lab up` that installs and starts it."""
        return docker.from_env()

    def lab(self, *arguments: str, within_s: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `./lab`, or for most commands what it runs."""
        if arguments[0] in _FORKED:
            return run_module(
                "labctl",
                arguments,
                environment={**self.environment, **environment},
                folder=Path.cwd(),
                within_s=within_s,
            )
        return subprocess.run(
            [str(ROOT / "lab"), *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    def begun(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`./lab`, running: what it says can be read line by line."""
        return subprocess.Popen(
            [str(ROOT / "lab"), *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` as somebody without our command line would."""
        return subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def findings(self) -> str:
        """What `./lab doctor` finds of the lab, a line for each."""
        found = running_lab.of_lab(Lab(Configuration.load(environment=self.environment)))
        return "\n".join(f"{f.what} {f.verdict}: {f.found}" for f in found)

    def containers(self, *labels: str) -> dict[str, Container]:
        """Service to container, stopped ones too; `labels` narrow it down."""
        wanted = [f"{_PROJECT_LABEL}={self.project}", _NUMBER_LABEL, *labels]
        found = self.client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True)
        return {container.labels[_SERVICE_LABEL]: container for container in found}

    def container(self, service: str) -> Container:
        """One container, as it is now; the engine is asked for no other."""
        return self.containers(f"{_SERVICE_LABEL}={service}")[service]

    def endpoint(self, mechanism: str, side: str) -> Container:
        """The producer or the consumer of a pair."""
        return self.container(f"{mechanism.replace('_', '-')}-{side}")

    def endpoints(self) -> dict[str, Container]:
        """The producers and consumers; a fault may be called after one of them."""
        return {
            name: c
            for name, c in self.containers().items()
            if name.endswith(("-producer", "-consumer")) and fault_container.LABEL not in c.labels
        }

    def mechanisms(self) -> list[str]:
        """The pairs that are there."""
        return sorted(
            name.removesuffix("-producer").replace("-", "_") for name in self.endpoints() if name.endswith("-producer")
        )

    def leftovers(self) -> list[str]:
        """Everything that still bears the project's name."""
        label = {"label": f"{_PROJECT_LABEL}={self.project}"}
        return [
            *(c.name for c in self.client.containers.list(all=True, filters=label)),
            *(n.name for n in self.client.networks.list(filters=label)),
            *(v.name for v in self.client.volumes.list(filters=label)),
        ]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query: list of {"metric": labels, "value": [time, text]}."""
        url = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query"
        answer = requests.get(url, params={"query": expression}, timeout=5).json()
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def page(self, service: str) -> Iterator[tuple[str, dict[str, str], float]]:
        """What a container exports right now: (series, labels, value)."""
        for family in text_string_to_metric_families(self.text(service)):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value

    def text(self, service: str) -> str:
        """A container's page: over the bridge where the engine is on this machine, from inside where it is not."""
        container = self.container(service)
        for network in container.attrs["NetworkSettings"]["Networks"].values():
            with suppress(requests.RequestException):
                return requests.get(f"http://{network['IPAddress']}:{metrics.PORT}/metrics", timeout=1).text
        script = (
            f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{metrics.PORT}/metrics').read().decode())"
        )
        return printed(container, ["python", "-c", script])

    def total(self, service: str, series: str) -> int:
        """The sum of a series on a container's page."""
        return int(sum(value for name, _, value in self.page(service) if name == series))

    def accounts(self, mechanism: str) -> dict[str, int]:
        """The pair's accounts, read from its two containers."""
        name = mechanism.replace("_", "-")
        consumer = list(self.page(f"{name}-consumer"))
        counts = {
            key: int(sum(value for series, _, value in consumer if series == f"ipc_messages_{key}_total"))
            for key in ("received", "lost", "duplicate", "reordered", "corrupt")
        }
        return {"sent": self.total(f"{name}-producer", "ipc_messages_sent_total"), **counts}

    def wait_until_healthy(self) -> None:
        """Until the engine finds every container healthy: its check is every few seconds, after a pause too."""
        for name in self.containers():

            def health(service: str = name) -> bool:
                state = self.container(service).attrs["State"]
                return "Health" not in state or state["Health"]["Status"] == "healthy"

            wait_until(f"{name} is healthy", 30, health)

    def wait_for_traffic(self, mechanism: str, within_s: float = 15) -> None:
        """Until the consumer has received a message that it had not when this was called."""
        service = f"{mechanism.replace('_', '-')}-consumer"
        before = wait_until(f"{service} shows its metrics", within_s, lambda: self._received(service))[0]

        def more() -> bool:
            now = self._received(service)
            return now is not None and now[0] > before

        wait_until(f"{mechanism} moves messages", within_s, more)

    def _received(self, service: str) -> tuple[int] | None:
        try:
            return (self.total(service, "ipc_messages_received_total"),)
        except (AssertionError, docker.errors.APIError, LabError):
            return None

    def settle(self, mechanism: str) -> dict[str, int]:
        """Slow one producer down until nothing is on the way, and return the pair's accounts of that moment."""
        return self.settle_all(mechanism)[mechanism]

    def settle_all(self, *mechanisms: str) -> dict[str, dict[str, int]]:
        """Slow the producers down until nothing is on the way, and return the accounts of that moment by mechanism."""
        for mechanism in mechanisms:
            self.set_load(mechanism, Load(rate=1, size_bytes=1024))
        try:
            return {
                mechanism: wait_until(f"{mechanism} has nothing on the way", 20, lambda m=mechanism: self._settled(m))  # type: ignore[misc]
                for mechanism in mechanisms
            }
        finally:
            for mechanism in mechanisms:
                self.set_load(mechanism, None)

    def load(self, mechanism: str) -> Load:
        """What a producer shows of its load."""
        service = f"{mechanism.replace('_', '-')}-producer"
        series = ("ipc_load_rate", "ipc_message_size_bytes", "ipc_load_burst")
        return Load(*(self.total(service, name) for name in series))

    def set_load(self, mechanism: str, load: Load | None) -> None:
        """What `./lab load` does at the producer; None is its usual one."""
        script = f"rm -f {_LOAD}"
        if load:
            script = f"echo '{load.text()}' >{_LOAD}.new && mv {_LOAD}.new {_LOAD}"
        done = self.endpoint(mechanism, "producer").exec_run(["sh", "-c", script])
        assert done.exit_code == 0, done.output.decode()

    def _settled(self, mechanism: str) -> dict[str, int] | None:
        accounts = self.accounts(mechanism)
        return accounts if accounts["sent"] == accounts["received"] + accounts["lost"] else None
