"""Another machine for the tests: a Docker Engine in a container, with a network of its own and its API on TCP.

The lab's own engine image, started with a bridge and a firewall as an engine has them. It is reached by its address
alone: nothing here goes through its container but starting and stopping it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container

from lab.harness.stack import ROOT, Stack, wait_until
from labctl.config import compose_file
from labctl.config.configuration import IMAGE_TAG, Configuration
from labctl.engine.base_images import ensure_base_images
from labctl.engine.images import engine_image, ensure_engine_image

_PORT = 2375
_STARTS_WITHIN_S = 40


@dataclass
class Machine:
    """It and the way to it: `here` is this machine's address on the network between the two."""

    container: Container
    address: str
    here: str

    @property
    def url(self) -> str:
        """Its engine, for `--docker-host`."""
        return f"tcp://{self.address}:{_PORT}"

    @property
    def client(self) -> docker.DockerClient:
        """Its engine, for the test's own eyes."""
        client = docker.DockerClient(self.url, timeout=10)
        client.api.trust_env = False
        return client

    def inventory(self) -> dict[str, list[str]]:
        """All that an engine keeps."""
        client = self.client
        return {
            "containers": [c.name for c in client.containers.list(all=True)],
            "images": [i.id for i in client.images.list(all=True)],
            "volumes": [v.name for v in client.volumes.list()],
            "networks": sorted(n.name for n in client.networks.list()),
        }

    def wait_until_it_answers(self) -> None:
        """Until its engine answers at its address."""

        def answers() -> bool:
            with suppress(DockerException, requests.RequestException):
                return bool(docker.DockerClient(self.url, version="1.41", timeout=2).ping())
            return False

        wait_until("the other machine's engine answers", _STARTS_WITHIN_S, answers)


def _rights(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the second host, as the SDK has them. A path in them is Compose's to read, and ours to read here."""
    options = [option.partition("seccomp=") for option in declared["security_opt"]]
    return {
        **{name: declared[name] for name in ("cap_add", "cap_drop", "read_only", "init", "mem_limit")},
        "security_opt": [f"{found}{(ROOT / path).read_text()}" if found else name for name, found, path in options],
        "cgroupns": declared["cgroup"],
        "volumes": [volume for volume in declared["volumes"] if volume.startswith("/")],
        "tmpfs": dict.fromkeys(declared["tmpfs"], ""),
    }


@contextmanager
def another_machine(stack: Stack) -> Iterator[Machine]:
    """One, beside the lab on the network on which the lab's ports are published; nothing of it is left."""
    values = Configuration.load().values
    base = ensure_engine_image(stack.client, values, ensure_base_images(stack.client, values, root=ROOT), root=ROOT)
    image = engine_image(base, values[IMAGE_TAG])
    network = stack.client.networks.get(f"{stack.project}_front")
    container = stack.client.containers.create(
        image.name,
        ["--host=unix:///var/run/docker.sock", f"--host=tcp://0.0.0.0:{_PORT}", "--tls=false"],
        name=f"{stack.project}-other-machine",
        network=network.name,
        **_rights(compose_file.service(compose_file.SECOND_HOST)),
    )
    try:
        container.start()
        container.reload()
        endpoint = container.attrs["NetworkSettings"]["Networks"][network.name]
        machine = Machine(container, endpoint["IPAddress"], endpoint["Gateway"])
        machine.wait_until_it_answers()
        yield machine
    finally:
        container.stop(timeout=10)  # it takes its control groups away
        container.remove(v=True, force=True)
