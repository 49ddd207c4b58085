"""`./lab swarm`: the pairs as a Swarm stack, consumers on this node and producers on another."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from docker.models.services import Service

from labctl.clusters.swarm import nodes, table
from labctl.clusters.swarm import stack as swarm_stack
from labctl.clusters.swarm.nodes import Manager
from labctl.clusters.swarm.stack import name_of, services_of
from labctl.config.paths import COMPOSE_FILE, ROOT
from labctl.engine import engine
from labctl.lab import state_files
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say, step
from labctl.terminal.subprocesses import run
from labctl.terminal.waiting import wait_until

_STARTED_WITHIN_S = 30
_HINT = "./lab swarm down, and again"
_IN_MANAGER, _STACK_FILE = "/var/lib/docker", "stack.json"


def bring_up(lab: Lab, wanted: Sequence[str]) -> None:
    """Deploy the pairs, with a responder and two probes, and print what can be seen of them.

    :raises BadInput: there is no second node
    :raises LabError: a step fails
    """
    manager, home = nodes.assemble(lab)
    model = _model(lab)
    stack, dropped = swarm_stack.of_model(model, wanted, home, matrix=True)
    for key in sorted(dropped):
        say(f"not in the stack: {key} ({swarm_stack.DROPPED[key]})")
    running = {
        name
        for name, service in services_of(manager.client, lab.project).items()
        if service.attrs["Spec"]["Mode"]["Replicated"]["Replicas"]
    }
    for name in running & set(stack["services"]):
        stack["services"][name]["deploy"]["replicas"] = 1
    _deploy(manager, name_of(lab.project), stack)
    services = services_of(manager.client, lab.project)
    # Those at home first: consumers. One at a time: docs/decisions/0011-serial-start-and-stop.md.
    with step("Starting tasks") as current:
        for name in [name for name in stack["services"] if name not in running]:
            current.detail(name)
            services[name].scale(1)
            _wait_for_task(services[name], name)
    table.show(lab.project, manager, services)


def show_status(project: str, as_json: bool) -> None:
    """Print where the tasks run, what they moved, and the matrix from here and from another node.

    :raises LabError: there is no stack
    """
    manager = nodes.find(engine.connect(), project)
    services = services_of(manager.client, project) if manager else {}
    if manager is None or not services:
        raise LabError(f"{project} has no stack", hint="./lab swarm up deploys it")
    table.show(project, manager, services, as_json=as_json)


def _model(lab: Lab) -> Mapping[str, Any]:
    compose = ["docker", "compose", "--project-directory", str(ROOT), "--file", str(COMPOSE_FILE)]
    with step("Reading compose.yaml") as current:
        text = run(
            [*compose, "--profile", "*", "config", "--format", "json"],
            step=current,
            hint=f"git diff {COMPOSE_FILE.name}",
            environment=lab.configuration.environment(),
            cwd=ROOT,
        )
    model: dict[str, Any] = json.loads(text[text.index("{") :])
    return model


def _deploy(manager: Manager, name: str, stack: Mapping[str, Any]) -> None:
    deploy = ["docker", "stack", "deploy", "--resolve-image", "never", "--compose-file"]
    content = json.dumps(stack)
    with step("Deploying the stack") as current:
        if manager.container is None:
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(content)
                file.flush()
                run([*deploy, file.name, name], step=current, hint=_HINT)
            return
        # Its folder is a volume: the image's own may not be written through the engine's API when it is read-only.
        state_files.write(manager.container, _IN_MANAGER, _STACK_FILE, content.encode())
        ran = manager.run([*deploy, f"{_IN_MANAGER}/{_STACK_FILE}", name])
    if ran.code:
        raise LabError(f"the stack cannot be deployed: {ran.said}", hint=_HINT)


def _wait_for_task(service: Service, name: str) -> None:
    def running() -> bool:
        return any(task["Status"]["State"] == "running" for task in service.tasks({"desired-state": "running"}))

    if not wait_until(running, _STARTED_WITHIN_S):
        tasks = sorted(service.tasks(), key=lambda task: str(task["CreatedAt"]))
        status = tasks[-1]["Status"] if tasks else {"State": "not made", "Err": ""}
        said = status.get("Err") or status.get("Message", "")
        raise LabError(f"{name} does not run within {_STARTED_WITHIN_S} s: {status['State']}, {said}", hint=_HINT)
