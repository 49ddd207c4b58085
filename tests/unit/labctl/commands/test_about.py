"""`./lab help` and `version`: the same as `--help`, and one line for each thing that a report of a fault needs."""

from __future__ import annotations

import os
import subprocess
import sys

import docker
import pytest

from labctl.engine import engine
from labctl.main import main
from support.json_server import json_server


@pytest.mark.parametrize("words", [[], ["load"], ["swarm"], ["swarm", "up"]])
def test_help_is_what_the_option_shows(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", *words]) == 0
    shown = capsys.readouterr().out
    assert main([*words, "--help"]) == 0
    assert shown == capsys.readouterr().out
    assert shown.startswith(" ".join(["Usage: ./lab", *words]))


def test_versions() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labctl", "version"],
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ipc-lab", "Python", "Engine", "Compose", "Machine"]
    assert "no Docker Engine answers at unix:///nowhere" in lines[2]


# What `GET /version` of the two says, shortened.
_DOCKER = {"Version": "28.0.1", "Components": [{"Name": "Engine", "Version": "28.0.1"}]}
_PODMAN = {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}


@pytest.mark.parametrize(
    ("answer", "name"), [(_DOCKER, "Docker Engine"), ({"Version": "20.10.24"}, "Docker Engine"), (_PODMAN, "Podman")]
)
def test_podman_is_named_as_podman(answer: dict[str, object], name: str) -> None:
    assert engine.name_of(answer) == name


@pytest.mark.parametrize(("answer", "says"), [(_DOCKER, ""), (_PODMAN, "This engine is Podman 4.3.1;")])
def test_up_says_what_it_is_not_tested_with(
    answer: dict[str, object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with json_server(lambda _: (200, answer)) as port:
        client = docker.DockerClient(f"tcp://127.0.0.1:{port}", version="1.41")
        engine.say_if_not_tested(client)
        client.close()
    said = capsys.readouterr().err
    assert says in said
    assert bool(said) is bool(says)
