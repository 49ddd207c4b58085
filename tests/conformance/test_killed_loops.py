"""kill -9 in any line of the loops of a pair whose messages stay where they are: what the ledgers say afterwards.

One mechanism is enough: the ring and the loops are those of all three, and each life costs a process.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, ProducerLedger, Stream
from ipclab.contract.channel import Address, Mechanism
from ipclab.contract.optional_parts import LoanSender
from ipclab.pair.consumer import Consumer
from ipclab.pair.producer import Producer
from ipclab.runtime.lifecycle import EndpointStatus, Stop
from ipclab.runtime.overrides import Load, load_override

one_of_three = pytest.mark.mechanisms(among=["mmap_file"])
SIZE = 400


def lives_that_are_killed(life: Callable[[Stop], object], step: str) -> Iterator[int]:
    """Run `life` in processes of their own; each is killed one line later, counted from its first call of `step`.

    A life that passed `step` once is asked to stop, and the first that lives so long is the last.
    """
    for line in count(1):
        pid = os.fork()
        if not pid:
            code = 1
            try:
                _die_at(line, step, life)
                code = 0
            finally:
                os._exit(code)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if not ended:
            return
        assert ended == -signal.SIGKILL
        yield line


def _die_at(line: int, step: str, life: Callable[[Stop], object]) -> None:
    stop = Stop()
    passed = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal passed
        if "/ipclab/" not in frame.f_code.co_filename:
            return None
        here = frame.f_code.co_name == step
        if event == "return" and here:
            stop.requested = True
        if event == "line" and (passed or here):
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    life(stop)
    sys.settrace(None)


class Pair:
    """The two loops of a pair, a life at a time, and their ledgers."""

    def __init__(self, mechanism: Mechanism, address: Address, folder: Path) -> None:
        self.mechanism = mechanism
        self.address = address
        self.folder = folder
        with mechanism.create_receiver(address):
            pass  # every life of the consumer adopts it

    def produce(self, stop: Stop) -> None:
        """One life of the producer."""
        load = load_override(self.folder / "load.json", Load(10_000, SIZE))
        status = EndpointStatus(self.folder / "alive")
        Producer(self.mechanism, self.address, self.producer_ledger(), load, status, stop).run()

    def producer_ledger(self) -> ProducerLedger:
        return ProducerLedger(self.folder / "producer.ledger")

    def consume(self, stop: Stop, each_tick: Callable[[], None] = lambda: None) -> Checker:
        """One life of the consumer."""
        checker = Checker(ConsumerLedger(self.folder / "consumer.ledger"), ordered=True, gives_back=True)
        status = EndpointStatus(self.folder / "alive", each_tick=each_tick)
        Consumer(self.mechanism, self.address, checker, status, stop).run()
        return checker

    def consume_all(self) -> Stream:
        """A life that ends once a tick brought no message; the account of the one producer."""
        stop = Stop()
        ticks = count(1)
        checker = self.consume(stop, lambda: stop.request("all is read") if next(ticks) == 3 else None)
        assert not checker.corrupt_count
        (stream,) = checker.streams()
        return stream


@pytest.fixture
def pair(mechanism: Mechanism, address: Address, tmp_path: Path) -> Pair:
    return Pair(mechanism, address, tmp_path)


@one_of_three
def test_a_consumer_killed_in_any_line_loses_no_message_and_counts_none_twice(pair: Pair) -> None:
    sent = 0
    with pair.mechanism.open_sender(pair.address) as sender:
        assert isinstance(sender, LoanSender)

        def send() -> None:
            nonlocal sent
            whole = sender.loan(SIZE, 1.0)
            message.seal(whole, producer=7, epoch=1, sequence=sent, due_ns=0, sent_ns=0)
            sender.commit()
            sent += 1

        send()
        for _ in lives_that_are_killed(pair.consume, "_receive_in_place"):
            send()
        stream = pair.consume_all()
    assert (stream.received, stream.lost, stream.duplicate, stream.reordered) == (sent, 0, 0, 0)
    assert sent > 50


@one_of_three
def test_a_producer_killed_in_any_line_loses_the_message_in_its_hand_and_no_other(pair: Pair) -> None:
    kills = len(list(lives_that_are_killed(pair.produce, "_send_one")))
    sent = pair.producer_ledger().next_sequence
    stream = pair.consume_all()
    assert stream.received + stream.lost == sent
    assert 0 < stream.lost < kills
    assert stream.received > 10
    assert (stream.duplicate, stream.reordered) == (0, 0)
    assert kills > 50
