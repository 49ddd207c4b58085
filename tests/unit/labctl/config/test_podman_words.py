"""The words of health checks, which Podman takes otherwise than Docker; and the owner of /run/lab."""

from __future__ import annotations

import pytest

from labctl.config import compose_file

_SERVICES = compose_file.services_of_lab(compose_file.declared(), grafana=True)


@pytest.mark.parametrize("name", _SERVICES)
def test_no_word_of_a_health_check_has_a_blank(name: str) -> None:
    """Podman splits it there."""
    assert [word for word in compose_file.service(name).get("healthcheck", {}).get("test", ()) if " " in word] == []


@pytest.mark.parametrize("name", _SERVICES)
def test_run_lab_has_its_owner(name: str) -> None:
    """Without one it was the container's own at the first start, and root's with mode 0755 after a restart."""
    for tmpfs in compose_file.service(name).get("tmpfs", ()):
        path, _, options = tmpfs.partition(":")
        if path == "/run/lab":
            assert {"uid", "gid"} <= {option.partition("=")[0] for option in options.split(",")}
