"""CIS Docker Benchmark 1.7.0, section 5: which of its items a running container does not hold.

Source: Center for Internet Security, "CIS Docker Benchmark", section 5, "Container Runtime Configuration". Titles are
ours. The table of docs/SECURITY.md has a row for each item, and says what is excepted and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from labctl.config.paths import ROOT

TABLE = ROOT / "docs" / "SECURITY.md"
_ROW = re.compile(r"^\| (5\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_EXCEPTED = re.compile(r"excepted(?: for ([a-z, -]+))?: ")
_PUBLISHED = {"prometheus", "grafana", "page"}
_OF_THE_HOST = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")
_Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One item of the table."""

    title: str
    lab: str
    engines: str


def table() -> dict[str, Row]:
    """The rows of docs/SECURITY.md."""
    return {found[1]: Row(*map(str.strip, found.groups()[1:])) for found in _ROW.finditer(_text(TABLE))}


def excepted(word: str) -> set[str] | None:
    """The services that a cell excepts; None: every one; an empty set where it says "holds"."""
    if word == "holds":
        return set()
    found = _EXCEPTED.match(word)
    assert found, f"neither holds nor excepted: {word}"
    return set(found[1].split(", ")) if found[1] else None


def failures(container: Container) -> set[str]:
    """The items that this container does not hold."""
    attrs, host = container.attrs, container.attrs["HostConfig"]
    return {item for item, holds in _ITEMS.items() if not holds(container, attrs, host)}


def _options(host: _Attributes) -> list[str]:
    return [option.replace("=", ":", 1) for option in host["SecurityOpt"] or ()]


def _bindings(host: _Attributes) -> list[Mapping[str, str]]:
    return [binding for bound in (host["PortBindings"] or {}).values() for binding in bound]


def _mounts(attrs: _Attributes) -> list[str]:
    return [mount["Source"] for mount in attrs["Mounts"] if mount["Type"] == "bind"]


def _is_of_the_host(path: str) -> bool:
    return any(path == folder or (folder != "/" and path.startswith(f"{folder}/")) for folder in _OF_THE_HOST)


def _runs(container: Container, program: str) -> bool:
    return any(program in " ".join(process) for process in container.top()["Processes"] or ())


def _executions(container: Container, attrs: _Attributes) -> list[Mapping[str, Any]]:
    """The commands that were run in it and that the engine still knows."""
    found = []
    for identity in attrs["ExecIDs"] or ():
        with suppress(NotFound):  # a health check that ended meanwhile
            found.append(container.client.api.exec_inspect(identity)["ProcessConfig"])
    return found


def _is_current(container: Container, attrs: _Attributes) -> bool:
    return bool(attrs["Image"] == container.client.images.get(attrs["Config"]["Image"]).id)


def _few_restarts(host: _Attributes) -> bool:
    policy = host["RestartPolicy"]
    return policy["Name"] in ("", "no") or (policy["Name"] == "on-failure" and policy["MaximumRetryCount"] <= 5)


def _service(attrs: _Attributes) -> str:
    return str(attrs["Config"]["Labels"].get("com.docker.compose.service", ""))


_ITEMS: dict[str, Callable[[Container, _Attributes, _Attributes], bool]] = {
    "5.1": lambda _, attrs, __: not any("swarm" in label for label in attrs["Config"]["Labels"]),
    "5.2": lambda _, __, host: "apparmor:unconfined" not in _options(host),
    "5.3": lambda _, __, host: "label:disable" not in _options(host),
    "5.4": lambda _, __, host: host["CapDrop"] == ["ALL"] and not host["CapAdd"],
    "5.5": lambda _, __, host: not host["Privileged"],
    "5.6": lambda _, attrs, __: not any(map(_is_of_the_host, _mounts(attrs))),
    "5.7": lambda container, _, __: not _runs(container, "sshd"),
    "5.8": lambda _, __, host: all(int(binding["HostPort"] or 0) >= 1024 for binding in _bindings(host)),
    "5.9": lambda _, attrs, host: not _bindings(host) or _service(attrs) in _PUBLISHED,
    "5.10": lambda _, __, host: host["NetworkMode"] != "host",
    "5.11": lambda _, __, host: host["Memory"] > 0,
    "5.12": lambda _, __, host: host["CpuShares"] > 0,
    "5.13": lambda _, __, host: bool(host["ReadonlyRootfs"]),
    "5.14": lambda _, __, host: all(binding["HostIp"] == "127.0.0.1" for binding in _bindings(host)),
    "5.15": lambda _, __, host: _few_restarts(host),
    "5.16": lambda _, __, host: host["PidMode"] != "host",
    "5.17": lambda _, __, host: host["IpcMode"] != "host",
    "5.18": lambda _, __, host: not host["Devices"],
    "5.19": lambda _, __, host: not host["Ulimits"],
    "5.20": lambda _, attrs, __: not any("shared" in mount.get("Propagation", "") for mount in attrs["Mounts"]),
    "5.21": lambda _, __, host: host["UTSMode"] != "host",
    "5.22": lambda _, __, host: not any(option.startswith("seccomp:") for option in _options(host)),
    "5.23": lambda container, attrs, _: not any(ran["privileged"] for ran in _executions(container, attrs)),
    "5.24": lambda container, attrs, _: (
        not any(ran.get("user", "").split(":")[0] in ("0", "root") for ran in _executions(container, attrs))
    ),
    "5.25": lambda _, __, host: not host["CgroupParent"],
    "5.26": lambda _, __, host: any(option.startswith("no-new-privileges") for option in _options(host)),
    "5.27": lambda _, attrs, __: "Health" in attrs["State"],
    "5.28": lambda container, attrs, _: _is_current(container, attrs),
    "5.29": lambda _, __, host: (host["PidsLimit"] or 0) > 0,
    "5.30": lambda _, attrs, __: "bridge" not in attrs["NetworkSettings"]["Networks"],
    "5.31": lambda _, __, host: host["UsernsMode"] != "host",
    "5.32": lambda _, attrs, __: not any(path.endswith("docker.sock") for path in _mounts(attrs)),
}
ITEMS = tuple(_ITEMS)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
