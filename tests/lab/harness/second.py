"""The second host of the tests' lab: its link cut and mended, and what is there."""

from __future__ import annotations

import time
from collections.abc import Sequence

import docker

from lab.harness.stack import Stack, printed, wait_until
from labctl.hosts import stdio_transport

_SERVICE = "second-host"
# A line for each queue of the namespace: proc(5), mq_overview(7).
_QUEUES = {"sysv_mq": "tail -n +2 /proc/sysvipc/msg", "posix_mq": "ls /dev/mqueue"}

# In a container: cgroup v2, and v1. What has no limit is "max", or nearly 2**63.
_LIMITS = (
    "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes "
    "/sys/fs/cgroup/pids/pids.max"
)


def control_groups(stack: Stack) -> str:
    """A pattern, below /sys/fs/cgroup, of what this second host made there (services/engine/start-engine)."""
    return f"*/ipclab-second-host-{stack.container(_SERVICE).attrs['Config']['Hostname']}*"


def engine(stack: Stack) -> docker.DockerClient:
    """Its engine."""
    return stdio_transport.client(stdio_transport.dial_container(str(stack.container(_SERVICE).id)))


def limits_of(stack: Stack) -> dict[str, tuple[list[str], list[str]]]:
    """Of each container there: bytes and processes that its engine was asked to allow, and that the kernel allows."""
    return {
        container.name: (
            [str(container.attrs["HostConfig"][limit]) for limit in ("Memory", "PidsLimit")],
            printed(container, ["sh", "-c", _LIMITS]).split(),
        )
        for container in engine(stack).containers.list()
    }


def cut(stack: Stack, mechanisms: Sequence[str], seconds: int) -> None:
    """Unplug it from these pairs' networks for so long. The time is what is tested; it is exact for the first pair."""
    host = stack.container(_SERVICE)
    links = [stack.client.networks.get(f"{stack.project}_{name}") for name in mechanisms]
    names = {link.id: host.attrs["NetworkSettings"]["Networks"][link.name]["Aliases"] for link in links}
    end = time.monotonic() + seconds
    for link in links:
        link.disconnect(host)
    try:
        wait_until("the time of the cut is over", seconds + 1, lambda: time.monotonic() >= end)
    finally:
        for link in links:
            link.connect(host, aliases=[name for name in names[link.id] if name != host.short_id])


def arrives(stack: Stack, mechanisms: Sequence[str], when: str) -> None:
    """Until more of each is received there than now."""

    def count(name: str) -> float:
        received = f"sum(ipc_messages_received_total{{mechanism='{name}', instance=~'{_SERVICE}:.*'}})"
        return float((stack.query(received) or [{"value": [0, "0"]}])[0]["value"][1])

    first = {name: count(name) for name in mechanisms}
    wait_until(f"messages arrive {when}", 30, lambda: all(count(name) > first[name] for name in mechanisms))


def queues_of(stack: Stack, mechanism: str) -> list[str]:
    """What the kernel lists of queues in the namespace of the consumer that was placed there."""
    host = stack.container(_SERVICE)
    listed = ["docker", "ps", "--quiet", "--filter", f"label=ipclab.mechanism={mechanism}"]
    consumer = printed(host, listed).strip()
    return printed(host, ["docker", "exec", consumer, "sh", "-c", _QUEUES[mechanism]]).splitlines()
