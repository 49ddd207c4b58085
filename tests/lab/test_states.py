"""The lab of all tests in every state: `docker compose` alone, a restart of everything, reset.

Late in the folder: it restarts and scales the pairs of all tests.
"""

from __future__ import annotations

import json
import re

import pytest

from lab.harness.stack import Stack, wait_until
from labctl.config.configuration import Configuration
from labctl.lab.containers import freeze

pytestmark = pytest.mark.timeout(900)


def test_compose_alone_finds_what_up_did_and_changes_nothing(stack: Stack) -> None:
    stack.wait_until_healthy()  # Compose gives up at a consumer that an earlier test had paused
    before = {name: container.id for name, container in stack.containers().items()}
    up = stack.compose("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert {name: container.id for name, container in stack.containers().items()} == before
    shown = stack.compose("ps", "--services").stdout.split()
    assert set(shown) == set(before)
    logs = stack.compose("logs", "--tail", "1", "fifo-consumer")
    assert (logs.returncode, "fifo-consumer" in logs.stdout) == (0, True)


def test_a_restart_of_everything_splits_nothing_and_what_is_lost_is_explained(stack: Stack) -> None:
    restart = stack.compose("restart")
    assert restart.returncode == 0, restart.stderr
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=60)
    for mechanism, accounts in stack.settle_all(*stack.mechanisms()).items():
        assert accounts["sent"] == accounts["received"] + accounts["lost"], mechanism
    wait_until("Prometheus answers", 60, lambda: stack.lab("status", "--json").returncode == 0)
    document = json.loads(stack.lab("status", "--json").stdout)
    assert document["namespace_splits"] == []
    assert "Why messages were lost: ./lab status MECHANISM." in " ".join(stack.lab("status").stdout.split())
    shown = " ".join(stack.lab("status", "--all").stdout.split())
    for pair in document["pairs"]:
        for reason, word in (("consumer_restart", "a consumer ended"), ("producer_restart", "a producer ended")):
            if pair["lost_by_reason"].get(reason):
                assert re.search(rf"Lost when {word}[^.]* {pair['mechanism']} ", shown), pair


def test_a_pair_that_was_made_anew_goes_on_with_its_accounts(stack: Stack) -> None:
    pairs = ("sysv_mq", "fifo")  # a member of the holder's namespace, and one with a volume
    before = {mechanism: stack.accounts(mechanism) for mechanism in pairs}
    # Without --no-deps, which is in Compose's hash of a service: `./lab up` would make it anew once more.
    made = stack.compose("up", "--detach", "--force-recreate", "sysv-mq-producer", "fifo-consumer")
    assert made.returncode == 0, made.stderr
    for mechanism in pairs:
        stack.wait_for_traffic(mechanism, within_s=60)
    for mechanism, accounts in stack.settle_all(*pairs).items():
        assert accounts["sent"] > before[mechanism]["sent"]
        assert accounts["sent"] == accounts["received"] + accounts["lost"]
        assert accounts["corrupt"] == before[mechanism]["corrupt"]
        assert accounts["duplicate"] == before[mechanism]["duplicate"]


def test_observers_that_were_killed_are_brought_back_by_up_and_no_pair_notices(stack: Stack) -> None:
    started = {name: container.attrs["State"]["StartedAt"] for name, container in stack.endpoints().items()}
    for service in ("kernel", "prometheus", "page"):
        stack.container(service).kill()
    assert "stopped warn: kernel is exited, exit code 137" in stack.findings()
    up = stack.lab("up", "sysv_mq")  # one of the pairs whose namespace the exporter is in
    assert up.returncode == 0, up.stderr
    assert {stack.container(service).status for service in ("kernel", "prometheus", "page")} == {"running"}
    assert {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()} == started


def test_reset_is_up_again_in_the_same_containers(stack: Stack) -> None:
    up = stack.lab("up", "sysv_mq", "--scale", "sysv_mq.consumer=2")
    assert up.returncode == 0, up.stderr
    assert stack.lab("load", "fifo", "--rate", "50").returncode == 0
    assert stack.lab("lock", "sysv_shm", "off").returncode == 0
    assert stack.lab("place", "unix_stream", "shared_network").returncode == 0
    freeze(stack.endpoint("tcp", "consumer"))
    stack.endpoint("udp", "producer").kill()
    cut = stack.endpoint("udp", "consumer")
    stack.client.networks.get(f"{stack.project}_udp").disconnect(cut)
    before = {name: container.id for name, container in stack.endpoints().items()}
    counted = {mechanism: stack.total(f"{mechanism}-producer", "ipc_messages_sent_total") for mechanism in ("fifo",)}

    reset = stack.lab("reset")
    assert reset.returncode == 0, reset.stderr
    for said in ("tcp-consumer was paused", "udp-producer was exited", "udp-consumer was cut", "back from"):
        assert said in reset.stderr
    after = stack.endpoints()
    assert {c.status for c in after.values()} == {"running"}
    assert {name: c.id for name, c in after.items() if not name.startswith("sysv-mq")} == {
        name: id_ for name, id_ in before.items() if not name.startswith("sysv-mq")
    }
    for mechanism, accounts in stack.settle_all(*stack.mechanisms()).items():
        assert accounts["sent"] == accounts["received"], (mechanism, accounts)
        assert accounts["lost"] == accounts["corrupt"] == accounts["duplicate"] == 0, (mechanism, accounts)
    assert stack.total("fifo-producer", "ipc_messages_sent_total") < counted["fifo"]
    document = json.loads(stack.lab("status", "--json").stdout)
    assert document["placements"] == []
    assert document["namespace_splits"] == []
    sync = {
        (name, labels["switch"]): value for name, labels, value in stack.page("sysv-shm-consumer") if "switch" in labels
    }
    assert sync["ipc_switch_on", "sync"] == 1
    rates = [value for name, _, value in stack.page("fifo-producer") if name == "ipc_load_rate"]
    assert rates == [float(Configuration.load(environment=stack.environment).values["LAB_RATE"])]
    assert sum(name.startswith("sysv-mq-consumer") for name in after) == 1
    # Compose takes the pair that was made anew for its own.
    made = {name: container.id for name, container in stack.containers().items()}
    assert stack.lab("up").returncode == 0
    assert {name: container.id for name, container in stack.containers().items()} == made
