"""A Docker Engine that is reached through a command's standard input and output: `docker system dial-stdio`.

The engine in the second host's container listens on a socket that only that container sees; `docker exec` reaches it
from wherever the lab's own engine is reached, and `ssh` one on another machine. So the SDK speaks to all engines alike,
and no port is opened for it. The SDK's own way through `ssh` may ask questions, and waits for answers without a limit.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import docker
from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

# What every engine that the lab makes a second host of understands: Engine 25 and newer, 29 as its oldest. Whoever
# dials a machine of somebody else's asks that for its own first, which takes no version.
API_VERSION = "1.44"
_CALL_WITHIN_S = 60
_BASE = "http://second-host:2375"  # the SDK wants a port; nobody is asked there
_ENDS_WITHIN_S = 2


def dial_container(container_id: str) -> list[str]:
    """The command that reaches the engine inside a container of the lab's own engine."""
    return ["docker", "exec", "--interactive", container_id, "docker", "system", "dial-stdio"]


def client(
    command: Sequence[str], version: str = API_VERSION, timeout_s: float = _CALL_WITHIN_S
) -> docker.DockerClient:
    """A client of the engine that `command` reaches. Nothing is asked yet; calls raise what the SDK's calls do."""
    found = docker.DockerClient(base_url=_BASE, version=version, timeout=timeout_s)
    found.api.mount(_BASE, _Adapter(command, timeout_s))
    return found


class _Connection(HTTPConnection):
    """One process per connection; the kernel's socket pair is its standard input and output."""

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen(self._command, stdin=end, stdout=end, stderr=subprocess.DEVNULL)
        ours.settimeout(self.timeout if isinstance(self.timeout, int | float) else _CALL_WITHIN_S)
        self.sock = ours

    def close(self) -> None:
        super().close()
        if process := self._process:
            self._process = None
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)  # it has read the end of its input
                return
            process.kill()
            process.wait()


class _Pool(HTTPConnectionPool):
    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s, maxsize=2)
        self._command = command
        self._timeout_s = timeout_s

    def _new_conn(self) -> _Connection:
        return _Connection(self._command, self._timeout_s)


class _Adapter(BaseHTTPAdapter):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        super().__init__()
        self._pool = _Pool(command, timeout_s)

    def get_connection(self, url: str, proxies: Any = None) -> _Pool:
        del url, proxies
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        del proxies
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()
        super().close()
