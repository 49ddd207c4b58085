"""A machine without IPv6: its sockets cannot be made, and names resolve to IPv4 alone."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import closing
from typing import Any

import pytest

from ipclab.metrics.page_reader import read_page
from ipclab.metrics.page_server import PageServer


def test_a_page_is_served_and_read_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.socket.__init__

    def without(self: socket.socket, family: int = -1, *arguments: Any, **named: Any) -> None:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        original(self, family, *arguments, **named)

    monkeypatch.setattr(socket.socket, "__init__", without)
    with pytest.raises(OSError, match=os.strerror(errno.EAFNOSUPPORT)):
        socket.socket(socket.AF_INET6)
    with closing(PageServer(0, lambda: "ipc_a 1\n")) as server:
        server.start()
        assert read_page("127.0.0.1", server.port, 20) == "ipc_a 1\n"
