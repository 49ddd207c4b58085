"""What a command in a container printed, where a busy engine loses it: no test can make the engine do that."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from labctl.hosts import second_host_probe
from labctl.lab.containers import read_in, run_in
from labctl.terminal.errors import LabError

_ANSWER = (0, (b'{"exists": true}\n', None))
_LOST = (0, (None, None))
_FAILED = (1, (None, b"error: no such key"))


def container(*ends: tuple[int, tuple[bytes | None, bytes | None]]) -> Mock:
    return Mock(exec_run=Mock(side_effect=ends))


def test_what_was_lost_twice_is_read_a_third_time() -> None:
    asked = container(_LOST, _LOST, _ANSWER)
    assert read_in(asked, ["look"]).answer() == {"exists": True}
    assert asked.exec_run.call_count == 3


def test_what_changes_something_is_done_once() -> None:
    asked = container(_LOST, _ANSWER)
    assert run_in(asked, ["remove"]).code == 0
    assert asked.exec_run.call_count == 1


def test_a_failure_is_no_lost_output() -> None:
    asked = container(_FAILED, _ANSWER)
    assert read_in(asked, ["look"]).said == "error: no such key"
    assert asked.exec_run.call_count == 1


def test_what_is_lost_each_time_is_said_in_one_line() -> None:
    with pytest.raises(LabError, match="expected JSON, got nothing") as said:
        read_in(container(_LOST, _LOST, _LOST), ["look"]).answer()
    assert "run it again" in said.value.hint


def test_what_is_read_in_a_container_of_the_second_host_is_read_again() -> None:
    asked = container(_LOST, _ANSWER)
    assert second_host_probe.read(Mock(service="second-host", docker=asked), ["probe"]).answer() == {"exists": True}
    assert asked.exec_run.call_count == 2
