"""A paused consumer cannot be asked; what should rise meanwhile is asked of somebody who can."""

from __future__ import annotations

import json

import pytest

from lab.harness.stack import Stack, wait_until
from labctl.lab.containers import freeze

_RISES_TO = 50


@pytest.mark.parametrize("mechanism", ["fifo", "unix_stream"])
def test_what_waits_is_seen_while_the_consumer_is_paused(stack: Stack, mechanism: str) -> None:
    stack.wait_for_traffic(mechanism)
    before = stack.accounts(mechanism)
    consumer = stack.endpoint(mechanism, "consumer")
    freeze(consumer)
    try:
        on_the_way = f'mechanism:ipc_messages:in_flight{{mechanism="{mechanism}"}} > {_RISES_TO}'
        wait_until("messages on the way rise", 30, lambda: stack.query(on_the_way))
        silent = f'ipc_kernel_buffer_bytes{{mechanism="{mechanism}",role="consumer"}}'
        wait_until("the consumer is seen to be silent", 30, lambda: not stack.query(silent))
        told = f'ipc_kernel_buffer_bytes{{mechanism="{mechanism}",role="producer"}} > 10000'
        wait_until("the producer tells what waits", 30, lambda: stack.query(told))
        status = json.loads(stack.lab("status", "--json").stdout)
        (buffer,) = (one for one in status["kernel"]["buffers"] if one["mechanism"] == mechanism)
        assert buffer["asked"] == "producer"
        assert buffer["bytes"] > 10_000
        skipped = next(pair["skipped"] for pair in status["pairs"] if pair["mechanism"] == mechanism)
        assert skipped is not None
    finally:
        consumer.unpause()
    stack.wait_for_traffic(mechanism)
    accounts = stack.settle(mechanism)
    assert (accounts["lost"], accounts["corrupt"]) == (before["lost"], before["corrupt"])


def test_nothing_is_received_that_status_has_not_among_what_was_sent(stack: Stack) -> None:
    """Two scrapes of different moments showed more received than sent."""
    for _ in range(8):
        for pair in json.loads(stack.lab("status", "--json").stdout)["pairs"]:
            if None not in (pair["sent"], pair["received"], pair["lost"]):
                assert pair["received"] + pair["lost"] <= pair["sent"], pair
