"""The commands of a container: each is found by its own name, and a container imports what its role needs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from ipclab.__main__ import _COMMANDS, cli


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_is_called_as_it_calls_itself(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    module, _, attribute = _COMMANDS[name].partition(":")
    assert getattr(importlib.import_module(module), attribute) is command


def test_every_command_is_listed() -> None:
    assert cli.list_commands(click.Context(cli)) == sorted(_COMMANDS)


# Each costs a container a MiB or more: of the HTTP of the standard library, of Prometheus's client, of OpenSSL.
_HEAVY = {"http.client", "http.server", "urllib.request", "prometheus_client", "ssl", "hashlib", "secrets", "email"}


@pytest.mark.parametrize("role", ["producer", "consumer", "holder", "kernel", "responder", "probe"])
def test_a_role_imports_no_more_than_it_needs(role: str) -> None:
    """What only another role or a library that we do without would bring is not loaded."""
    script = f"import sys, ipclab.__main__, ipclab.roles.{role}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & _HEAVY
    others = {"producer": "ipclab.pair.consumer", "consumer": "ipclab.pair.producer"}
    assert others.get(role, "ipclab.pair.consumer") not in loaded
    assert not {name for name in loaded if name.startswith(("ipclab.speedup", "ipclab.student"))}
