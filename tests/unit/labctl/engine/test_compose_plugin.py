"""Compose's version, as it and the distributions write it."""

from __future__ import annotations

import re
from typing import Any

import docker
import pytest

from labctl.doctor import doctor
from labctl.doctor.finding import Verdict
from labctl.engine import compose
from labctl.engine.compose import OLDEST, parse_version
from labctl.terminal.errors import LabError
from support.json_server import Request, json_server


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.26.1-4", (2, 26)),
        ("v2.17.0", (2, 17)),
        ("2.40.3+ds1-0ubuntu1~24.04.1", (2, 40)),
        ("Docker Compose version v5.0.1", (5, 0)),
        ("", None),
        ("dev", None),
    ],
)
def test_version(text: str, version: tuple[int, int] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(("text", "is_enough"), [("1.29.2-3", False), ("2.16.0", False), ("2.17.0", True)])
def test_the_first_and_the_early_second_generation_are_too_old(text: str, is_enough: bool) -> None:
    version = parse_version(text)
    assert version is not None
    assert (version >= OLDEST) is is_enough


def test_an_engine_that_takes_no_api_as_old_as_compose_is_refused_with_both_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real Compose, against an engine that says what Docker Engine 29 says to it (docker/compose#13389)."""
    if not compose.compose_version():
        pytest.skip("no `docker compose` here")
    version = {"Version": "99.0.1", "ApiVersion": "1.99", "MinAPIVersion": "1.98", "Os": "linux", "Arch": "amd64"}

    def answer(request: Request) -> tuple[int, Any]:
        if request.path.endswith("/version"):
            return 200, version
        asked = re.match(r"/v([\d.]+)/", request.path)
        too_old = f"client version {asked[1] if asked else '1.24'} is too old. Minimum supported API version is 1.98, "
        return 400, {"message": f"{too_old}please upgrade your client to a newer version"}

    with json_server(answer) as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        client = docker.DockerClient(f"tcp://127.0.0.1:{port}", version="1.99")
        with pytest.raises(LabError) as refused:
            compose.require_common_api(client)
        finding = doctor.compose_finding(client, may_install=True)
        client.close()
    assert (finding.verdict, finding.found) == (Verdict.BAD, refused.value.message)
    assert f"Compose {compose.compose_version()} speaks Docker's API 1." in str(refused.value)
    assert "Docker Engine 99.0.1 takes 1.98 or newer" in str(refused.value)
