"""Messages flow, every one is accounted for, and Prometheus has every series that is defined."""

from __future__ import annotations

import json

from ipclab import metrics, registry
from ipclab.channel import OnFull, Persistence, Switch
from ipclab.metrics import Role
from lab.stack import Stack, wait_until


def test_every_message_is_accounted_for(stack: Stack, mechanism: str) -> None:
    books = stack.settle(mechanism)
    assert books["received"] > 0
    assert {key: books[key] for key in ("duplicate", "reordered", "corrupt")} == dict.fromkeys(
        ("duplicate", "reordered", "corrupt"), 0
    )


def test_prometheus_has_every_series_of_every_pair(stack: Stack, mechanism: str) -> None:
    traits = registry.load(mechanism).traits
    races = Switch.SYNC in traits.switches
    told = {
        metrics.KERNEL_DROPS: traits.on_full is OnFull.DROP,
        metrics.KERNEL_BUFFER: traits.persistence is Persistence.PROCESS,
        **dict.fromkeys((metrics.UPDATES, metrics.LOST_UPDATES, metrics.RECORDS_READ, metrics.TORN_READS), races),
        metrics.SWITCH_ON: races,
        metrics.KERNEL_BUFFER_LIMIT: traits.persistence is Persistence.PROCESS,
    }
    for definition in (definition for definition in metrics.DEFINITIONS if told.get(definition, True)):
        for role in definition.roles & {Role.PRODUCER, Role.CONSUMER}:
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


def test_status_agrees_with_the_books(stack: Stack, mechanism: str) -> None:
    stack.settle(mechanism)
    status = stack.lab("status", "--json")
    assert status.returncode == 0, status.stderr
    pair = next(row for row in json.loads(status.stdout)["pairs"] if row["mechanism"] == mechanism)
    assert pair["lost"] == stack.books(mechanism)["lost"]
    assert 0 < pair["received"] <= stack.books(mechanism)["received"]
    assert 0 < pair["one_way_p50_seconds"] <= pair["one_way_p99_seconds"]
