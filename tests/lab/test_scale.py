"""A mailbox with several containers on both sides: the accounts of all together have every number of every producer."""

from __future__ import annotations

import json
from typing import Any

from lab.harness.stack import Stack, wait_until
from labctl.measured.pairs import fresh

PAIRS = ("sysv_mq",)  # of the lab: see conftest.py
PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"


def containers(stack: Stack, service: str) -> list[Any]:
    labels = [f"{PROJECT_LABEL}={stack.project}", f"{SERVICE_LABEL}={service}"]
    found: list[Any] = stack.client.containers.list(all=True, filters={"label": labels})
    return found


def producers(stack: Stack) -> list[dict[str, Any]]:
    """The accounts of sysv_mq, by producer."""
    status = stack.lab("status", "--json")
    assert status.returncode == 0, status.stderr
    (channel,) = json.loads(status.stdout)["channels"]
    assert channel["mechanism"] == "sysv_mq"
    rows: list[dict[str, Any]] = channel["producers"]
    for row in rows:
        assert row["sent"] == row["received"] + row["lost"] + row["on_the_way"]
        assert sum(row["received_by"].values()) >= row["received"]
    return rows


def test_three_consumers_and_two_producers_share_a_queue(stack: Stack) -> None:
    lost = stack.settle("sysv_mq")["lost"]  # by what other tests have done to it
    up = stack.lab("up", "sysv_mq", "--scale", "sysv_mq.consumer=3", "--scale", "sysv_mq.producer=2")
    assert up.returncode == 0, up.stderr
    assert "sysv-mq-consumer 3" in up.stdout
    assert [len(containers(stack, f"sysv-mq-{side}")) for side in ("consumer", "producer")] == [3, 2]
    for side in ("consumer", "producer"):
        victim = containers(stack, f"sysv-mq-{side}")[0]
        victim.kill()
        victim.start()

    def settled() -> list[dict[str, Any]] | None:
        """All consumers take part again, and nothing that was sent before the death is still open."""
        rows = producers(stack)
        return rows if all(row["on_the_way"] <= 3 for row in rows) else None

    before = {row["producer"]: row["received"] for row in producers(stack)}

    def heard() -> set[str] | None:
        """Both that run are heard again; the accounts also have those that other tests have taken away."""
        names = {row["producer"] for row in producers(stack) if row["received"] > before.get(row["producer"], 0)}
        return names if len(names) == 2 else None

    running = wait_until("traffic after a death", 15, heard)
    rows = wait_until("nothing is open but the latest", 20, settled)
    assert sum(row["lost"] for row in rows) <= lost + 2, "each of the dead had one message in hand"
    assert all(row["twice"] == 0 for row in rows)
    shares = [row["received_by"] for row in rows if row["producer"] in running]
    assert all(count > 0 for share in shares for count in share.values()), "somebody got nothing"

    back = stack.lab("up", "sysv_mq")
    assert back.returncode == 0, back.stderr
    assert [len(containers(stack, f"sysv-mq-{side}")) for side in ("consumer", "producer")] == [1, 1]
    assert json.loads(stack.lab("status", "--json").stdout)["channels"] == []
    accounts = stack.settle("sysv_mq")
    assert accounts["received"] > sum(row["received"] for row in rows), "what the others received was forgotten"
    assert accounts["lost"] <= lost + 2
    assert accounts["duplicate"] == 0


def test_the_reset_of_a_scaled_pair_ends_when_prometheus_measures_both_sides(stack: Stack) -> None:
    """They are made anew, and an exercise that begins then finds figures of them."""
    up = stack.lab("up", "sysv_mq", "--scale", "sysv_mq.consumer=2")
    assert up.returncode == 0, up.stderr
    reset = stack.lab("reset")
    shown = {series["metric"]["container"] for series in stack.query(fresh("ipc_namespace_info"))}
    assert reset.returncode == 0, reset.stderr
    made = {c.short_id for side in ("consumer", "producer") for c in containers(stack, f"sysv-mq-{side}")}
    assert len(made) == 2
    assert made <= shown


def test_a_scale_that_cannot_be_served_changes_nothing(stack: Stack) -> None:
    before = {c.id for c in stack.containers().values()}
    refused = stack.lab("up", "posix_shm", "--scale", "posix_shm.consumer=2")
    assert (refused.returncode, "sysv_mq" in refused.stderr) == (2, True)
    assert {c.id for c in stack.containers().values()} == before
