"""Addresses of other engines, and what they answer: where another machine is asked, it is a server on loopback."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from labctl.hosts import remote_address, remote_engine
from labctl.terminal.errors import BadInput, LabError
from support.engine import engine_that_says
from support.launcher import OWN_PROJECT, assert_refused, make_lab, run_lab

_MODERN = {"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"}


@pytest.mark.parametrize(
    "address", ["ssh://other", "ssh://me@other", "ssh://me@192.0.2.7:2222", "tcp://192.0.2.7:2375", "tcp://a.b-c:1"]
)
def test_an_address_is_given_back_as_docker_writes_it(address: str) -> None:
    assert str(remote_address.parse(address)) == address


def test_ssh_asks_no_question_and_takes_no_host_for_an_option() -> None:
    command = remote_address.parse("ssh://me@other:2222").dial()
    assert command[0] == "ssh"
    assert "BatchMode=yes" in command
    assert command[-3:] == ["--", "other", "docker system dial-stdio"]
    assert command[command.index("-p") + 1] == "2222"
    assert command[command.index("-l") + 1] == "me"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "other",
        "other:2375",
        "unix:///var/run/docker.sock",
        "npipe:////./pipe/docker_engine",
        "http://192.0.2.7:2375",
        "tcp://192.0.2.7",
        "tcp://192.0.2.7:0",
        "tcp://192.0.2.7:65536",
        "tcp://me@192.0.2.7:2375",
        "tcp://:2375",
        "tcp://192.0.2.7:2375/v1.41",
        "ssh://",
        "ssh://-oProxyCommand=id",
        "ssh://-l@other",
        "ssh://me@other/path",
        "ssh://me@other?x",
        "ssh://[::1]",
        "ssh://a b",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match=r"--docker-host .*ssh://USER@HOST"):
        remote_address.parse(address)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    make_lab(tmp_path)
    refused = run_lab(tmp_path, ["hosts", "up", "--docker-host", "ssh://me:secret@other"], OWN_PROJECT)
    assert_refused(refused, ["--docker-host"])
    assert "secret" not in refused.stderr


@pytest.mark.parametrize("address", ["", "localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0", "224.0.0.1", "::1", "1.2.3"])
def test_nothing_is_published_everywhere_or_where_nobody_else_is(address: str) -> None:
    with pytest.raises(BadInput, match=r"--address .*neither 127\.0\.0\.1 nor 0\.0\.0\.0"):
        remote_address.parse_address(address)


def test_neither_option_goes_alone(tmp_path: Path) -> None:
    make_lab(tmp_path)
    without = run_lab(tmp_path, ["hosts", "up", "--docker-host", "tcp://192.0.2.7:2375"], OWN_PROJECT)
    assert_refused(without, ["--address is missing", "until ./lab hosts down"])
    assert_refused(run_lab(tmp_path, ["hosts", "up", "--address", "192.0.2.1"], OWN_PROJECT), ["without --docker-host"])


def refused_by(tmp_path: Path, address: str, *says: str) -> None:
    """No engine of the lab's own is there either: the other machine is looked at first."""
    make_lab(tmp_path)
    up = run_lab(tmp_path, ["hosts", "up", "--docker-host", address, "--address", "192.0.2.1"], OWN_PROJECT)
    assert_refused(up, [address, *says])


def test_a_port_that_nobody_listens_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused_by(tmp_path, f"tcp://127.0.0.1:{port}", "ECONNREFUSED")


def test_a_machine_that_takes_the_connection_and_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused_by(tmp_path, f"tcp://127.0.0.1:{server.getsockname()[1]}", "no answer within 5 s")


def test_a_name_that_no_host_has(tmp_path: Path) -> None:
    refused_by(tmp_path, "tcp://nobody.invalid:2375", "no such host")


def test_an_ssh_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused_by(tmp_path, f"ssh://me@127.0.0.1:{port}", "ssh", f"ssh -p {port} me@127.0.0.1 docker version")


@pytest.mark.parametrize("document", ["<html>", {}, [], {"ApiVersion": "new"}, {"ApiVersion": ""}])
def test_what_is_no_engine(document: Any) -> None:
    with engine_that_says(document) as address, pytest.raises(LabError, match="what answers is no Docker Engine"):
        remote_engine.reach(remote_address.parse(address))


def test_an_engine_that_is_too_old(tmp_path: Path) -> None:
    with engine_that_says({**_MODERN, "Version": "19.03.15", "ApiVersion": "1.40"}) as address:
        refused_by(tmp_path, address, "Docker Engine 19.03.15", "API 1.40", "Engine 20.10 (API 1.41) or newer")


def test_a_podman_is_called_so(tmp_path: Path) -> None:
    podman = {"Version": "3.0.1", "ApiVersion": "1.40", "Components": [{"Name": "Podman Engine", "Version": "3.0.1"}]}
    with engine_that_says({**_MODERN, **podman}) as address:
        refused_by(tmp_path, address, "Podman 3.0.1", "API 1.40")


def test_an_engine_that_is_older_than_the_sdk(tmp_path: Path) -> None:
    with engine_that_says({**_MODERN, "ApiVersion": "1.9"}) as address:
        refused_by(tmp_path, address, "API 1.9", "Engine 20.10 (API 1.41) or newer")


def test_an_engine_that_is_no_linux() -> None:
    with engine_that_says({**_MODERN, "Os": "windows"}) as address, pytest.raises(BadInput, match=r"windows.*Linux"):
        remote_engine.reach(remote_address.parse(address))


def test_a_modern_engine_is_reached_and_gets_as_far_as_the_labs_own(tmp_path: Path) -> None:
    with engine_that_says(_MODERN) as address:
        found = remote_engine.reach(remote_address.parse(address))
        assert found.client.api.api_version == "1.45"
        make_lab(tmp_path)
        up = run_lab(tmp_path, ["hosts", "up", "--docker-host", address, "--address", "192.0.2.1"], OWN_PROJECT)
    assert up.returncode == 1
    assert "no-engine.sock" in up.stderr


def test_a_tunnels_end_is_no_address_of_another_machine() -> None:
    with pytest.raises(BadInput, match=r"leads to 127\.0\.0\.1, which is this machine"):
        remote_address.address_of(remote_address.parse("tcp://127.0.0.1:2375"))


def test_taking_away_from_a_machine_that_has_gone_says_what_to_type_there() -> None:
    from labctl.hosts import remote_probe

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(LabError) as error:
        remote_probe.take_away(url, "ipclab", "abc", "sha256:0123456789abcdef")
    assert error.value.hint == (
        f"docker --host {url} rm --force --volumes ipclab-second-host-probe; docker --host {url} image rm 0123456789ab"
    )
