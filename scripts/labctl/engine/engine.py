"""The Docker Engine: find the one the user means, and install or start it where the lab may."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import docker
import requests
from docker.context import ContextAPI
from docker.errors import DockerException

from labctl.engine import install
from labctl.engine.machine import Machine, this_machine
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import say
from labctl.terminal.subprocesses import side_by_side

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
_ANSWER_WITHIN_S = 10
_CALL_WITHIN_S = 120
_CONNECTIONS = 32  # that are kept; more than threads ask at once


def connect(timeout_s: int = _CALL_WITHIN_S) -> docker.DockerClient:
    """A client of the engine the `docker` command talks to; its calls may take `timeout_s`.

    DOCKER_HOST wins, then DOCKER_CONTEXT and the CLI's current context (Docker Desktop and colima listen on
    sockets of their own), then the default socket.

    :raises LabError: that engine does not answer
    """
    address = engine_address()
    try:
        client = docker.from_env(
            timeout=_ANSWER_WITHIN_S, version="auto", use_ssh_client=True, max_pool_size=_CONNECTIONS
        )
    except (DockerException, requests.RequestException, OSError) as error:
        raise LabError(f"no Docker Engine answers at {address} ({_reason(error)})", hint=_hint(address)) from error
    client.api.timeout = timeout_s
    _share_one_pool(client)
    return client


def _share_one_pool(client: docker.DockerClient) -> None:
    """Let every call use one pool of connections.

    The SDK's adapters for sockets and ssh have a pool for each path that is asked for (docker.transport, 7.1). They
    close the oldest of 25 or 9, also while another thread is about to use it: "Pool is closed".
    """
    for adapter in client.api.adapters.values():
        if hasattr(adapter, "pools"):
            of_path = adapter.get_connection
            adapter.get_connection = lambda _url, _proxies=None, of_path=of_path: of_path(client.api.base_url)


def engine_address() -> str:
    """Where the engine is expected, in DOCKER_HOST's form.

    :raises LabError: the chosen context does not exist (the SDK would take the default socket instead)
    """
    if host := os.environ.get("DOCKER_HOST"):
        return host
    name = os.environ.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name)
    if context is None:
        raise LabError(
            f"the Docker context {name or 'in ~/.docker/config.json'} does not exist",
            hint="`docker context ls` shows those that do; `docker context use default` takes this machine's",
        )
    host = str(context.Host or DEFAULT_SOCKET)
    return DEFAULT_SOCKET if host.endswith("unix:///var/run/docker.sock") else host


def will_be_installed() -> bool:
    """Whether `ensure_engine` will try to install an engine: a container that has the engine's socket needs none.

    :raises LabError: as `engine_address` does
    """
    forbidden = install.socket_is_forbidden()
    here = this_machine().system == "Linux" and engine_address() == DEFAULT_SOCKET
    return here and not forbidden and install.is_missing() and usable() is None


def ensure_engine(*meanwhile: Callable[[], None]) -> docker.DockerClient:
    """A client of a running engine: the one that answers, or one started, or installed and started, here.

    :param meanwhile: jobs that need no engine; they run while one is being installed, and not at all where none is

    :raises LabError: the engine is not ours to start (another machine's, Docker Desktop's), when this is no Debian or
        Ubuntu, when the user may not use it, or when it does not come up
    """
    try:
        return connect()
    except LabError:
        machine = this_machine()
        if machine.system != "Linux" or engine_address() != DEFAULT_SOCKET:
            raise
    if not install.socket_is_forbidden():
        if install.is_missing():
            machine.ask_for_root()
            side_by_side(lambda: _install_and_start(machine), *meanwhile)
            if install.socket_is_forbidden():
                install.join_docker_group(machine)
        else:
            install.start(machine, connect)
    return connect()


def _install_and_start(machine: Machine) -> None:
    install.install(machine)
    install.start(machine, connect)


def name_of(version: Mapping[str, Any]) -> str:
    """What answers to `GET /version`: Podman serves Docker's API too, with a component of its own name."""
    components = version.get("Components") or []
    return "Podman" if any("podman" in str(part.get("Name", "")).lower() for part in components) else "Docker Engine"


def say_if_not_tested(client: docker.DockerClient) -> None:
    """One line where the engine is none that the lab is tested with."""
    answer = client.version()
    if (name := name_of(answer)) != "Docker Engine":
        say(f"This engine is {name} {answer['Version']}; the lab is tested with Docker Engine alone")


def usable() -> docker.DockerClient | None:
    """A client of the engine, or None where `ensure_engine` is to install or start one first.

    :raises LabError: DOCKER_HOST or the context names no engine that answers, or this user may not use the socket
    """
    try:
        return connect()
    except LabError:
        startable = this_machine().system == "Linux" and engine_address() == DEFAULT_SOCKET
        if not startable or install.socket_is_forbidden():
            raise
        return None


def _reason(error: BaseException) -> str:
    """The innermost cause in one line: the SDK wraps it four times."""
    text = str(error).lower()
    if "permission denied" in text or "errno 13" in text:
        return "permission denied"
    if "no such file" in text or "filenotfound" in text:
        return "nothing listens there"
    if "connection refused" in text:
        return "connection refused"
    if "timed out" in text:
        return f"no answer within {_ANSWER_WITHIN_S} s"
    return one_line(error)


def _hint(address: str) -> str:
    machine = this_machine()
    if os.environ.get("DOCKER_HOST"):
        return "DOCKER_HOST says so; start that engine, or unset DOCKER_HOST"
    if install.socket_is_forbidden():
        return "sudo usermod -aG docker $USER and log in again, or sudo ./lab (both are as good as root)"
    if machine.system != "Linux":
        return "start Docker Desktop or colima; to install: https://docs.docker.com/get-started/get-docker"
    if address != DEFAULT_SOCKET:
        return "the current Docker context says so; start that engine, or `docker context use default`"
    return "install Docker Engine 20.10 or newer and start it: https://docs.docker.com/engine/install"
