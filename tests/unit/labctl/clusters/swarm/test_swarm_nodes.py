"""How a node of the Swarm is told its interface, where a busy engine loses what a command printed."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from labctl.clusters.swarm.nodes import _interface
from labctl.terminal.errors import LabError

_LOST = (0, (None, None))
_SHOWN = (0, (b"/sys/class/net/eth1/address\n", None))


def host(*ends: tuple[int, tuple[bytes | None, bytes | None]]) -> Mock:
    found = Mock(attrs={"NetworkSettings": {"Networks": {"lab_metrics": {"MacAddress": "02:42:ac:11:00:02"}}}})
    found.name, found.exec_run = "lab-second-host-1", Mock(side_effect=ends)
    return found


def test_an_interface_that_the_engine_lost_is_asked_for_again() -> None:
    assert _interface(host(_LOST, _SHOWN), "lab") == "eth1"


def test_an_interface_that_nobody_shows_is_an_error_in_one_line() -> None:
    with pytest.raises(LabError, match="lab-second-host-1 shows no interface of the network metrics"):
        _interface(host(_LOST, _LOST, _LOST), "lab")
