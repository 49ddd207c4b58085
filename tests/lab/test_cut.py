"""A network that is cut without a word: nobody gets an error from the kernel, until a timeout says so."""

from __future__ import annotations

import pytest

from lab.harness.stack import Stack, wait_until

PAIRS = ("fifo", "tcp", "udp")  # of the lab: see conftest.py
# A peer is silent after 5 s (`ipclab.building_blocks.tcp_silence`); the promise is 7 s, the rest is for looking. That
# it is this limit, and not ARP, tests/conformance/test_silent_cut.py shows.
NOTICED_WITHIN_S = 15


@pytest.mark.timeout(120)
def test_tcp_notices_a_silent_cut_and_goes_on_when_it_is_mended(stack: Stack) -> None:
    stack.wait_for_traffic("tcp")
    before, known = stack.settle("tcp"), _silence(stack)
    network = stack.client.networks.get(f"{stack.project}_tcp")
    consumer = stack.endpoint("tcp", "consumer")
    network.disconnect(consumer)
    try:
        wait_until("the producer gives the connection up", NOTICED_WITHIN_S, lambda: _silence(stack) > known)
        assert stack.total("tcp-producer", "ipc_channel_open") == 0
    finally:
        network.connect(consumer, aliases=["tcp-receiver"])
    stack.wait_for_traffic("tcp")
    after = stack.settle("tcp")
    assert after["sent"] == after["received"] + after["lost"]
    assert (after["corrupt"], after["duplicate"]) == (before["corrupt"], before["duplicate"])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mechanism", ["tcp", "udp"])
def test_a_receiver_that_comes_back_under_another_address_is_reached_there(stack: Stack, mechanism: str) -> None:
    """It listens on its address in the pair's network alone, which is another one when its own was given away."""
    stack.wait_for_traffic(mechanism)
    network = stack.client.networks.get(f"{stack.project}_{mechanism}")
    consumer, guest = stack.endpoint(mechanism, "consumer"), stack.endpoint("fifo", "consumer")
    before = _address(stack, mechanism)
    network.disconnect(consumer)
    network.connect(guest)
    try:
        network.connect(consumer, aliases=[f"{mechanism}-receiver"])
        assert _address(stack, mechanism) != before
        stack.wait_for_traffic(mechanism, within_s=30)
    finally:
        network.disconnect(guest)


def _address(stack: Stack, mechanism: str) -> str:
    networks = stack.endpoint(mechanism, "consumer").attrs["NetworkSettings"]["Networks"]
    return str(networks[f"{stack.project}_{mechanism}"]["IPAddress"])


def _silence(stack: Stack) -> int:
    """How often the kernel gave up: by the timeout, or by ARP's earlier report if there was one (tcp(7))."""
    page = stack.page("tcp-producer")
    return int(
        sum(
            value
            for name, labels, value in page
            if name == "ipc_send_errors_total" and labels["errno"] in ("ETIMEDOUT", "EHOSTUNREACH")
        )
    )
