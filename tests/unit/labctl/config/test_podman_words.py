"""The words of compose.yaml that Podman takes otherwise than Docker: health checks, and the owner of a tmpfs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from labctl.config import compose_file
from labctl.config.paths import ROOT

_SERVICES = compose_file.services_of_lab(compose_file.declared(), grafana=True)
_MODE = "1777"


@pytest.mark.parametrize("name", _SERVICES)
def test_no_word_of_a_health_check_has_a_blank(name: str) -> None:
    """Podman splits it there."""
    assert [word for word in compose_file.service(name).get("healthcheck", {}).get("test", ()) if " " in word] == []


def _heartbeat() -> Iterator[tuple[str, dict[str, str]]]:
    """The services that have /heartbeat, and its options."""
    for name in _SERVICES:
        for tmpfs in compose_file.service(name).get("tmpfs", ()):
            path, _, options = tmpfs.partition(":")
            if path == "/heartbeat":
                yield name, dict(option.split("=") for option in options.split(","))


def test_heartbeat_has_no_owner() -> None:
    """Podman 4.3: unknown mount option "uid"."""
    found = dict(_heartbeat())
    assert {name for mechanism in compose_file.declared() for name in compose_file.services_of(mechanism)} <= set(found)
    assert {name for name, options in found.items() if options != {"size": "1m", "mode": _MODE}} == set()


def test_the_folder_below_heartbeat_has_the_same_mode() -> None:
    """At a restart runc gives the tmpfs the mode of the folder in the image: 0755 where there is none."""
    dockerfile = (ROOT / "services/Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"install --directory --mode (\d+) /heartbeat\b", dockerfile) == [_MODE]
