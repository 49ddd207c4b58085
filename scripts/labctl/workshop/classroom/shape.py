"""What one lab of a class consists of, and what it takes from the machine.

Memory and CPU are what such containers took when they were measured, at the default load: docs/CLASSROOM.md has the
conditions. The rest is counted in compose.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipclab.runtime.settings import SETTINGS
from labctl.config import compose_file
from labctl.config.configuration import PUBLISHED_PORTS

_MIB = 1 << 20
_SHIM_BYTES = 4 * _MIB  # the engine's process of each container
_MEMORY_BYTES = {"prometheus": 50 * _MIB, "page": 69 * _MIB, compose_file.RESPONDER: 61 * _MIB}
_PYTHON_BYTES = 15 * _MIB
# Shares of a core. An endpoint at 200 messages a second; the rest at rest.
_ENDPOINT_SHARE, _OTHER_SHARE = 0.02, 0.01
_CPU_SHARES = {"prometheus": 0.05}
_DEFAULT_RATE = 200
# ipc/mqueue.c, mqueue_get_inode: beside its bytes, a struct msg_msg and a struct posix_msg_tree_node for each message.
_QUEUE_BYTES = 10 * (8192 + 48 + 48)
_QUEUE_OF_QUESTIONS_BYTES = 4 * (256 + 48 + 48)
_QUEUES_OF_QUESTIONS = 2  # the responder's, and that of the one probe that asks


@dataclass(frozen=True)
class Shape:
    """One lab; every lab of a class has the same shape."""

    pairs: tuple[str, ...]
    services: tuple[str, ...]
    networks: Mapping[str, Mapping[str, Any]]  # all of compose.yaml, because Compose makes all of them
    ports: tuple[str, ...]  # the settings that name a published port
    queue_bytes: int  # of RLIMIT_MSGQUEUE
    memory_bytes: int
    cpu_share: float  # of one core

    def __str__(self) -> str:
        whole = set(self.pairs) == set(compose_file.declared())
        return "all pairs" if whole else ", ".join(self.pairs)


def shape_of(pairs: Sequence[str], rate: int) -> Shape:
    """A lab of these pairs, each at `rate` messages a second."""
    services = with_what_they_need(compose_file.services_of_lab(pairs, grafana=False))
    endpoints = [name for name in services if compose_file.mechanism_of(name)]
    memory = sum(_MEMORY_BYTES.get(name, _PYTHON_BYTES) + _SHIM_BYTES for name in services)
    busy = len(endpoints) * _ENDPOINT_SHARE * rate / _DEFAULT_RATE
    rest = sum(_CPU_SHARES.get(name, _OTHER_SHARE) for name in services if name not in endpoints)
    queues = _QUEUE_BYTES if "posix_mq" in pairs else 0
    queues += _QUEUES_OF_QUESTIONS * _QUEUE_OF_QUESTIONS_BYTES if compose_file.RESPONDER in services else 0
    return Shape(
        pairs=tuple(pairs),
        services=tuple(services),
        networks=compose_file.networks(),
        ports=tuple(PUBLISHED_PORTS),
        queue_bytes=queues,
        memory_bytes=memory,
        cpu_share=busy + rest,
    )


def with_what_they_need(services: Iterable[str]) -> list[str]:
    """The services and everything that they depend on; each once."""
    found: dict[str, None] = {}
    waiting = list(services)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += list(compose_file.service(name).get("depends_on") or [])
    return list(found)


assert "LAB_UID" in SETTINGS  # each lab of a class has its own, and so an RLIMIT_MSGQUEUE of its own
