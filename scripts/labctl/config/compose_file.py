"""compose.yaml as data: the pairs (NAME-producer and NAME-consumer) and the confinement of every container.

`of_every_container` gives that confinement to the containers that Compose does not start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ipclab import mechanisms as registry
from labctl.config.paths import COMPOSE_FILE
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line

ROLES = ("consumer", "producer")
HOLDER = "holder"  # owns the IPC namespace that others join
RESPONDER = "responder"
PROBE = "probe-"
SECOND_HOST = "second-host"
SWARM_MANAGER = "swarm-manager"
ENGINES = (SECOND_HOST, SWARM_MANAGER)  # an engine in a container, each
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class MeetingPoint:
    """A part of the address of a pair, as compose.yaml gives it to the consumer's command."""

    mechanism: str
    option: str  # one of `ipclab.runtime.settings.ADDRESS_OPTIONS`
    text: str  # a number, or ${VARIABLE}

    @property
    def variable(self) -> str | None:
        """The variable of `.env` that has the number; None where compose.yaml has it."""
        named = _VARIABLE.fullmatch(self.text)
        return named[1] if named else None


def services_of(mechanism: str) -> list[str]:
    """The Compose services of one pair. Compose names have `-` where a mechanism has `_`."""
    return [service_of(mechanism, role) for role in ROLES]


def service_of(mechanism: str, role: str) -> str:
    """The Compose service of one side."""
    return f"{mechanism.replace('_', '-')}-{role}"


def mechanism_of(service: str) -> str | None:
    """The mechanism of an endpoint's service, None for any other service."""
    name, _, role = service.rpartition("-")
    mechanism = name.replace("-", "_")
    return mechanism if role in ROLES and mechanism in registry.names() else None


def pairs_in(services: Iterable[str]) -> list[str]:
    """The mechanisms of which both sides are there, sorted."""
    present = set(services)
    mechanisms = {mechanism for service in present if (mechanism := mechanism_of(service))}
    return sorted(mechanism for mechanism in mechanisms if present.issuperset(services_of(mechanism)))


def declared() -> list[str]:
    """The mechanisms that have a pair in compose.yaml, sorted."""
    return pairs_in(_compose_file(COMPOSE_FILE)["services"])


def meeting_points() -> list[MeetingPoint]:
    """The keys and ports of all pairs, in the order of compose.yaml."""
    from ipclab.runtime.settings import ADDRESS_OPTIONS

    services = _compose_file(COMPOSE_FILE)["services"]
    found = []
    for name in services:
        mechanism = mechanism_of(name)
        if mechanism and name == service_of(mechanism, "consumer"):
            command = [str(word) for word in services[name]["command"]]
            for option, text in pairwise(command):
                if option in ADDRESS_OPTIONS:
                    found.append(MeetingPoint(mechanism, option, text))
    return found


def observers_of(mechanisms: Iterable[str]) -> list[str]:
    """The services that watch the IPC namespace of one of these pairs."""
    services = _compose_file(COMPOSE_FILE)["services"]
    modes = {services[name].get("ipc", "") for mechanism in mechanisms for name in services_of(mechanism)}
    joined = {mode for mode in modes if mode.startswith("service:")}  # else a namespace of its own
    others = set(services) - set(matrix_services())
    return [
        name for name in services if name in others and not mechanism_of(name) and services[name].get("ipc") in joined
    ]


def matrix_services() -> list[str]:
    """The responder and the probes: what `./lab matrix` shows. A probe's service is called after its placement."""
    return [name for name in _compose_file(COMPOSE_FILE)["services"] if name == RESPONDER or name.startswith(PROBE)]


def services_of_lab(mechanisms: Sequence[str], *, grafana: bool) -> list[str]:
    """What `./lab up` starts for these pairs, beside what these services depend on."""
    services = [service for mechanism in mechanisms for service in services_of(mechanism)]
    services += [*observers_of(mechanisms), "prometheus", "page"]
    if set(mechanisms) == set(declared()):
        services += matrix_services()
    return [*services, "grafana"] if grafana else services


def networks() -> dict[str, dict[str, Any]]:
    """The networks of a lab, by their names in compose.yaml; Compose makes all of them, whatever it starts."""
    return {name: said or {} for name, said in _compose_file(COMPOSE_FILE)["networks"].items()}


def default_project() -> str:
    """The project's name where nobody chose another."""
    return str(_compose_file(COMPOSE_FILE)["name"])


def common_to_all() -> dict[str, Any]:
    """What compose.yaml says of every container of ours (`x-app`)."""
    app: dict[str, Any] = _compose_file(COMPOSE_FILE)["x-app"]
    return app


def service(name: str) -> dict[str, Any]:
    """What compose.yaml says of one service."""
    found: dict[str, Any] = _compose_file(COMPOSE_FILE)["services"][name]
    return found


def max_message_bytes(mechanism: str) -> int:
    """The largest message that a mechanism carries, header included."""

    return registry.load(mechanism).traits.max_message_bytes


def with_sync() -> list[str]:
    """The pairs whose two sides share words, and so have a lock to switch off."""
    from ipclab.contract.channel import Switch

    return [mechanism for mechanism in declared() if mechanism in registry.having(Switch.RACE_LOCK)]


def all_services() -> dict[str, dict[str, Any]]:
    """What compose.yaml says of every service."""
    found: dict[str, dict[str, Any]] = _compose_file(COMPOSE_FILE)["services"]
    return found


@cache
def _compose_file(path: Path) -> dict[str, Any]:
    """compose.yaml as it is written, read without Docker: bad input is refused before an engine is needed."""
    import yaml

    try:
        # libyaml's parser, where the package has it, takes a sixth of the time; every command reads this file.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        model: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        model["services"], model["name"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise LabError(f"{path.name} cannot be read: {one_line(error)}", hint=f"git diff {path.name}") from error
    return model


PUBLISHED_RESPONDER = "responder-published"


Scale = Mapping[str, int]  # Compose service to number of containers; what is not in it has one


# Compose and the SDK have the same word for each.
_AS_IT_IS = ("init", "read_only", "cap_drop", "security_opt", "mem_limit", "pids_limit")


def of_every_container() -> dict[str, Any]:
    """The part of `x-app` that takes rights and bounds resources, as arguments for `containers.create`.

    With the folder of the health check's file, which is private to each container.
    """
    from docker.types import LogConfig  # takes longer to import than most commands take

    app = common_to_all()
    logging = app["logging"]
    return {
        **{name: app[name] for name in _AS_IT_IS},
        "tmpfs": dict(text.split(":", 1) for text in app["tmpfs"]),
        "log_config": LogConfig(type=logging["driver"], config=logging["options"]),
    }
