"""The end of kill-holder: over only when every member is in the new namespace, whatever it did meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from labctl.faults import registry
from labctl.faults.kinds import holder
from labctl.terminal.waiting import wait_until
from support.containers import container

FAULT = registry.fault("kill-holder")
STARTED = 100.0  # the holder, anew


def member(service: str, **changes: Any) -> Any:
    facts = {"joins_ipc_of": "the holder", "environment": {"LAB_HOLDER": "holder"}, "started_at": STARTED + 1}
    return container(service, **facts | changes)


def _end(*looks: list[Any]) -> Mock:
    """End the fault of a lab that looks so, one look after the other; the last one stays."""
    at = Mock(holder=container("holder", started_at=STARTED))
    last = looks[-1]

    def seen() -> Iterator[list[Any]]:
        yield from looks
        while True:
            yield last

    at.lab.containers.side_effect = seen()
    FAULT.end(at)
    return at


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "wait_until", lambda condition, *_, **__: wait_until(condition, 0.05, 0.0))


def test_it_waits_for_the_last_member() -> None:
    at = _end(
        [member("sysv-mq-consumer"), member("posix-mq-consumer", started_at=STARTED - 50)],
        [member("sysv-mq-consumer"), member("posix-mq-consumer", state="restarting", started_at=STARTED - 50)],
        [member("sysv-mq-consumer"), member("posix-mq-consumer")],
    )
    assert at.lab.containers.call_count == 3


def test_a_member_that_could_not_start_without_its_holder_is_started() -> None:
    ended = member("sysv-mq-consumer", state="exited", exit_code=75, started_at=STARTED - 50)
    _end([ended], [member("sysv-mq-consumer")])
    ended.docker.start.assert_called_once_with()


@pytest.mark.parametrize(
    "other",
    [
        member("sysv-mq-consumer", state="paused", started_at=0.0),
        member("sysv-mq-consumer", state="exited", started_at=0.0),
        member("fault-dev-shm-full", environment={}, started_at=0.0),
        container("fifo-consumer", started_at=0.0),
    ],
    ids=["paused by somebody", "stopped by somebody", "does not watch", "no member"],
)
def test_what_does_not_follow_is_not_waited_for(other: Any) -> None:
    assert _end([other]).lab.containers.call_count == 1


def test_a_member_that_stays_behind_is_restarted() -> None:
    behind, ahead = member("posix-mq-consumer", started_at=STARTED - 50), member("sysv-mq-consumer")
    _end([behind, ahead])
    behind.docker.restart.assert_called_once_with(timeout=3)
    ahead.docker.restart.assert_not_called()
