"""The end of the engine in a container: with what it runs, and with what it has outside of its container.

That is control groups: they are the kernel's. The engine's own entry point takes them away, unless it is killed.
"""

from __future__ import annotations

from contextlib import suppress

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.engine import throwaway

_GRACE_S = 10  # compose.yaml's stop_grace_period for it
_CONTROL_GROUPS = "/sys/fs/cgroup"
_ALL_AWAY = "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes"


def remove(client: docker.DockerClient, host: DockerContainer) -> None:
    """Remove its container, whatever state that is in. The volume that it is told to use stays."""
    with suppress(NotFound):
        host.reload()
        with suppress(APIError):  # it does not run, or is paused: neither can be asked
            host.exec_run(["sh", "-c", _ALL_AWAY])  # it need not wait for them then, and ends within its grace
            host.stop(timeout=_GRACE_S)
            host.reload()
        state = host.attrs["State"]
        host.remove(v=True, force=True)
        if (state["Status"], state["ExitCode"]) != ("exited", 0):
            _remove_control_groups(client, host)


def _remove_control_groups(client: docker.DockerClient, host: DockerContainer) -> None:
    """As services/engine/start-engine does. They are empty: with its first process a container ends all others."""
    pattern = f"*/ipclab-second-host-{host.attrs['Config']['Hostname']}*"
    throwaway.run(
        client,
        host.attrs["Image"],
        ["find", _CONTROL_GROUPS, "-depth", "-type", "d", "-path", pattern, "-exec", "rmdir", "{}", ";"],
        volumes=[f"{_CONTROL_GROUPS}:{_CONTROL_GROUPS}:rw"],
    )
