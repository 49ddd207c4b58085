"""A port for somebody who will listen on it in a moment: nobody else has it until then."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from labctl.lab import ports
from labctl.lab.ports import free_port


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own setting")
def test_the_kernel_gives_it_to_no_connection() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not {free_port() for _ in range(100)} & {*range(first, last + 1)}


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_who_listens_keeps_it(kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_port()
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        monkeypatch.setattr(ports, "_GIVEN_TO_NOBODY", [taken.getsockname()[1], free])
        assert {free_port() for _ in range(50)} == {free}
