"""The engine of another machine: reached, and found fit to be the second host."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.errors import DockerException

from labctl.engine import engine
from labctl.hosts import stdio_transport
from labctl.hosts.remote_address import OPTION, DockerHost
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line

OLDEST = (1, 41)  # Engine 20.10, as for the lab's own (docs.docker.com/reference/api/engine/#api-version-matrix)
_ANSWERS_WITHIN_S = 5
_SSH_ENDS_WITHIN_S = 10
_CALL_WITHIN_S = 120


@dataclass(frozen=True)
class RemoteEngine:
    """A client of it, and what it says of itself (`GET /version`)."""

    host: DockerHost
    client: docker.DockerClient
    version: Mapping[str, Any]


def reach(host: DockerHost) -> RemoteEngine:
    """Ask it for its version, in a few seconds.

    :raises LabError: it does not answer, or is no Docker Engine
    :raises BadInput: it is older than the oldest that the lab runs on, or no Linux
    """
    (_check_reachable_by_ssh if host.scheme == "ssh" else _check_reachable)(host)
    try:
        version = _client(host, stdio_transport.API_VERSION, _ANSWERS_WITHIN_S).version(api_version=False)
        _require_new_enough(host, version, str(version["ApiVersion"]))
        return RemoteEngine(host, _client(host, str(version["ApiVersion"]), _CALL_WITHIN_S), version)
    except requests.Timeout as error:
        raise _silent(host, f"no answer within {_ANSWERS_WITHIN_S} s") from error
    except (KeyError, TypeError, ValueError) as error:  # also requests' error for what is no JSON
        raise _silent(host, "what answers is no Docker Engine") from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise _silent(host, one_line(error)) from error


def require_kin(engine: RemoteEngine, client: docker.DockerClient) -> None:
    """The image of the lab must run there, and it must be another engine than the lab's.

    :raises BadInput: it cannot, or it is the same
    """
    here, there = str(client.version()["Arch"]), str(engine.version.get("Arch"))
    if here != there:
        raise BadInput(
            f"{OPTION} {engine.host} has the architecture {there}, and the lab's image was built for {here}",
            hint="take a machine of that kind; images are brought there as they are",
        )
    if client.info()["ID"] == engine.client.info()["ID"]:
        raise BadInput(
            f"{OPTION} {engine.host} is the engine that the lab runs on",
            hint="./lab hosts up without an option starts a second engine here",
        )


def _require_new_enough(host: DockerHost, version: Mapping[str, Any], api: str) -> None:
    said = f"{OPTION} {host} ({engine.name_of(version)} {version.get('Version')}, API {api})"
    if tuple(int(part) for part in api.split(".")) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise BadInput(f"{said}; expected Engine 20.10 (API {oldest}) or newer", hint="upgrade Docker there")
    if version.get("Os") != "linux":
        raise BadInput(f"{said} runs {version.get('Os')} containers; expected Linux", hint="the lab's image is Linux")


def _client(host: DockerHost, version: str, timeout_s: int) -> docker.DockerClient:
    if host.scheme == "ssh":
        return stdio_transport.client(host.dial(), version, timeout_s)
    # With DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as the docker command takes them.
    client = docker.from_env(version=version, timeout=timeout_s, environment={**os.environ, "DOCKER_HOST": str(host)})
    client.api.trust_env = False  # a proxy is for the world, and not for a machine beside this one
    return client


def _check_reachable(host: DockerHost) -> None:
    try:
        socket.create_connection((host.host, host.port or 0), _ANSWERS_WITHIN_S).close()
    except TimeoutError as error:
        raise _silent(host, f"ETIMEDOUT, no answer within {_ANSWERS_WITHIN_S} s") from error
    except socket.gaierror as error:
        raise _silent(host, f"no such host: {error.strerror}") from error
    except OSError as error:
        raise _silent(host, f"{errno.errorcode.get(error.errno or 0, '?')}, {error.strerror}") from error


def _check_reachable_by_ssh(host: DockerHost) -> None:
    """Connect once and send nothing: ssh and the docker command of that machine report an error."""
    try:
        done = subprocess.run(
            host.dial(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SSH_ENDS_WITHIN_S, check=False
        )
    except FileNotFoundError as error:
        raise _silent(host, "this machine has no ssh") from error
    except subprocess.TimeoutExpired as error:
        raise _silent(host, f"no answer within {_SSH_ENDS_WITHIN_S} s") from error
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise _silent(host, said[-1].strip()[-200:] if said else f"ssh ends with {done.returncode}")


def _silent(host: DockerHost, reason: str) -> LabError:
    hint = (
        f"`{host.shown_ssh()} docker version` must work without a question"
        if host.scheme == "ssh"
        else "is that machine up, and does its engine listen there? ssh://USER@HOST needs no open port"
    )
    return LabError(f"no Docker Engine answers at {host}: {reason}", hint=hint)


def as_bad_input(error: LabError) -> BadInput:
    """The same words, where nothing was changed yet."""
    return BadInput(f"{OPTION}: {error.message}", hint=error.hint)
