"""`./lab hosts`: a second Docker Engine beside the lab's, joined to it by a network alone, and a probe in it."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence

import docker
from docker.models.containers import Container as DockerContainer

from ipclab.placement import Placement
from labctl import compose, containers, engine, pairs, reachability
from labctl.base_images import ensure_base_images
from labctl.configuration import IMAGE_TAG, Configuration
from labctl.containers import PROJECT_LABEL, Container
from labctl.down import stop_and_remove
from labctl.errors import LabError
from labctl.images import OwnImage, ensure_image
from labctl.paths import ROOT
from labctl.place import put_all_back
from labctl.printing import show_lines
from labctl.progress import say, step
from labctl.status import require_running
from labctl.waiting import wait_until

_ANSWERS_WITHIN_S = 30
_REMOVE_ALL = "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force"
_PROBE = "probe"  # its name in the second engine
_NEIGHBOUR = Placement.SHARED_NETWORK  # whose command the probe over there has, but for the placement
# As compose.yaml confines the probes here. The network is that of the second host, which is what a host's is.
_RUN = (
    "docker run --detach --name probe --network host --restart unless-stopped --init --read-only --cap-drop ALL "
    "--security-opt no-new-privileges --tmpfs /run/lab:size=1m,uid=10001,gid=10001,mode=0700"
)


def bring_up(configuration: Configuration) -> None:
    """Start the second engine, bring the lab's image into it, and start the probe there if there is a responder.

    :raises LabError: the lab does not run, or a step fails
    """
    client = engine.connect()
    found = containers.of_project(client, configuration.project)
    require_running(found, configuration.project)
    probes = reachability.probes_of(found)
    base = ensure_base_images(client, configuration.values, root=ROOT)
    image = OwnImage(
        f"ipclab/engine:{configuration.values[IMAGE_TAG]}", pairs.SECOND_HOST, base.python, ("services/engine/**/*",)
    )
    ensure_image(client, image, base, configuration.values, ROOT)
    compose.start([pairs.SECOND_HOST], {**configuration.environment(), **base.environment()}, {})
    host = _second_host(client, configuration.project)
    with step("Waiting for the second engine"):
        if not wait_until(lambda: host.exec_run(["docker", "info"]).exit_code == 0, _ANSWERS_WITHIN_S):
            last = host.logs(tail=3).decode(errors="replace").strip().replace("\n", " | ")
            raise LabError(f"the second engine does not answer: {last}", hint="./lab hosts down removes it")
    _bring_image(host, f"ipclab/lab:{configuration.values[IMAGE_TAG]}")
    if not {Placement.SAME_CONTAINER, _NEIGHBOUR} <= set(probes):
        show_lines(["the second host is up, without a probe: the responder does not run (hint: ./lab up, then again)"])
        return
    with step("Starting the probe there"):
        host.exec_run(["docker", "rm", "--force", _PROBE])
        run = [*shlex.split(_RUN), f"ipclab/lab:{configuration.values[IMAGE_TAG]}", *command_of(probes[_NEIGHBOUR])]
        _in(host, run)
    show_lines(["the second host is up: ./lab matrix shows it"])


def take_down(configuration: Configuration) -> None:
    """Remove the second engine with all that it holds. The lab goes on, with the consumers that were placed there.

    :raises LabError: the engine does not answer
    """
    client, project = engine.connect(), configuration.project
    try:
        put_all_back(configuration, pairs.declared(), Placement.SECOND_HOST)
    except LabError as error:
        say(f"{error}; what a consumer received there since it was placed will count as lost")
    host = [c for c in containers.of_project(client, project) if c.service == pairs.SECOND_HOST]
    with step("Removing the second host"):
        for container in host:
            if container.running:  # so that the engine need not wait for what it runs, and ends within its grace
                container.docker.exec_run(
                    ["sh", "-c", "docker ps --all --quiet | xargs --no-run-if-empty docker rm -f"]
                )
            stop_and_remove(container.docker)
        label = {"label": [f"{PROJECT_LABEL}={project}", f"com.docker.compose.volume={pairs.SECOND_HOST}"]}
        volumes = client.volumes.list(filters=label)
        for volume in volumes:
            volume.remove(force=True)
    show_lines([f"removed {len(host)} second host, {len(volumes)} volumes" if host else "there is no second host"])


def command_of(neighbour: Container) -> list[str]:
    """The command of the probe on the second host: a neighbour's, but for the placement."""
    role, _, *options = neighbour.docker.attrs["Config"]["Cmd"]
    return [role, str(Placement.SECOND_HOST), *options]


def inside(command: Sequence[str]) -> list[str]:
    """`command` in the probe's container, for an exec on the second host."""
    return ["docker", "exec", _PROBE, *command]


def _second_host(client: docker.DockerClient, project: str) -> DockerContainer:
    return next(c.docker for c in containers.of_project(client, project) if c.service == pairs.SECOND_HOST)


def _bring_image(host: DockerContainer, image: str) -> None:
    """docker save here, docker load there: no registry is asked."""
    with step(f"Bringing {image} to the second engine"):
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
            load = subprocess.run(
                ["docker", "exec", "--interactive", str(host.id), "docker", "load", "--quiet"],
                stdin=save.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if load.returncode or save.returncode:
            reason = " ".join(load.stderr.split())[-200:]
            raise LabError(
                f"{image} cannot be loaded into the second engine: {reason}", hint="is there room on the disk?"
            )


def _in(host: DockerContainer, command: Sequence[str]) -> None:
    code, output = host.exec_run(list(command))
    if code:
        said = " ".join(output.decode(errors="replace").split())[-300:]
        raise LabError(f"{' '.join(command[:2])} failed on the second host: {said}", hint="./lab hosts down removes it")
