"""Messages flow, every one is accounted for, and Prometheus has every series that is defined."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import OnFull, Persistence, Switch
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Role
from lab.harness.stack import Stack, wait_until

Accounts = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def before(stack: Stack) -> Accounts:
    """The accounts of every pair at first: faults of earlier tests damage messages, or let one overtake another."""
    return {mechanism: stack.accounts(mechanism) for mechanism in stack.mechanisms()}


@pytest.fixture(scope="module")
def accounts(stack: Stack, before: Accounts) -> Accounts:
    """The accounts of every pair later, with nothing on the way."""
    assert before
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism)
    return stack.settle_all(*stack.mechanisms())


@pytest.fixture(scope="module")
def status(stack: Stack, accounts: Accounts) -> dict[str, Any]:
    """What `./lab status` says, after the accounts were read."""
    assert accounts
    done = stack.lab("status", "--json")
    assert done.returncode == 0, done.stderr
    return {row["mechanism"]: row for row in json.loads(done.stdout)["pairs"]}


def test_every_message_is_accounted_for(before: Accounts, accounts: Accounts, mechanism: str) -> None:
    account, earlier = accounts[mechanism], before[mechanism]
    assert account["received"] > earlier["received"]
    assert account["sent"] == account["received"] + account["lost"]
    for wrong in ("duplicate", "reordered", "corrupt"):
        assert account[wrong] == earlier[wrong], wrong


def test_prometheus_has_every_series_of_every_pair(stack: Stack, mechanism: str) -> None:
    traits = mechanisms.load(mechanism).traits
    races = Switch.RACE_LOCK in traits.switches
    told = {
        metrics.KERNEL_DROPS: traits.on_full is OnFull.DROP,
        **dict.fromkeys((metrics.UPDATES, metrics.LOST_UPDATES, metrics.RECORDS_READ, metrics.TORN_READS), races),
        metrics.SWITCH_ON: races,
        metrics.RECEIVED_BY_CLASS: False,  # only where types or priorities were asked for
        metrics.PLACEMENT_INFO: False,  # only of a consumer that was placed
    }
    # Of a datagram that has left, its sender knows nothing.
    buffers = {Role.CONSUMER: True, Role.PRODUCER: traits.on_full is not OnFull.DROP}
    for definition in (definition for definition in metrics.DEFINITIONS if told.get(definition, True)):
        for role in definition.roles & {Role.PRODUCER, Role.CONSUMER}:
            if definition in (metrics.KERNEL_BUFFER, metrics.KERNEL_BUFFER_LIMIT) and not (
                traits.persistence is Persistence.PROCESS and buffers[role]
            ):
                continue
            for series in definition.series:
                expression = f'{series}{{mechanism="{mechanism}",role="{role}"}}'
                found = wait_until(expression, 15, lambda e=expression: stack.query(e))  # type: ignore[misc]
                labels = set(found[0]["metric"]) - {"__name__", "instance", "job", "le"}
                assert labels == set(definition.labels), series


def test_prometheus_counts_what_the_containers_count(stack: Stack, mechanism: str) -> None:
    service = f"{mechanism.replace('_', '-')}-consumer"
    before = stack.total(service, "ipc_messages_received_total")
    expression = f'sum(ipc_messages_received_total{{mechanism="{mechanism}"}})'
    seen = wait_until("a scrape", 15, lambda: [s for s in stack.query(expression) if float(s["value"][1]) >= before])
    after = stack.total(service, "ipc_messages_received_total")
    assert before <= float(seen[0]["value"][1]) <= after


def test_status_agrees_with_the_accounts(accounts: Accounts, status: dict[str, Any], mechanism: str) -> None:
    pair = status[mechanism]
    assert pair["lost"] == accounts[mechanism]["lost"]
    assert pair["received"] > 0
    assert 0 < pair["one_way_p50_seconds"] <= pair["one_way_p99_seconds"]
