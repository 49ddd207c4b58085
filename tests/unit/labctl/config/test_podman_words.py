"""What Podman 4.3 takes otherwise than Docker is in no service that `./lab up` starts."""

from __future__ import annotations

import pytest

from labctl.config import compose_file

_OPTIONS = {"size", "mode"}  # podman-run(1), --tmpfs, beside mount(8)'s flags; "uid" is an unknown mount option


@pytest.mark.parametrize("name", [*compose_file.services_of_lab(compose_file.declared(), grafana=True)])
def test_podman_takes_the_health_check_and_the_tmpfs(name: str) -> None:
    service = compose_file.service(name)
    blanks = [word for word in service.get("healthcheck", {}).get("test", ()) if " " in word]
    assert not blanks, "Podman splits a word of a health check at its blanks"
    for tmpfs in service.get("tmpfs", ()):
        options = tmpfs.partition(":")[2]
        assert {option.partition("=")[0] for option in options.split(",") if option} <= _OPTIONS
