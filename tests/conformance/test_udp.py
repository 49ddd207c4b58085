"""Nobody is told, but everything is counted: by the kernel at the receiver, and by the checker from the numbers."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.accounting import message
from ipclab.accounting.checker import WINDOW, Checker
from ipclab.accounting.ledger import ConsumerLedger, Stream
from ipclab.contract.channel import Address
from ipclab.contract.errors import PeerAbsent, ReceiveTimeout
from ipclab.contract.optional_parts import CountsDrops
from ipclab.mechanisms import fifo
from ipclab.mechanisms.udp import MECHANISM, UdpReceiver, UdpSender

pytestmark = pytest.mark.mechanisms(picks=lambda traits: traits is MECHANISM.traits)
SIZE = 1024


def rcvbuf_errors() -> int:
    """The kernel's count for the whole network namespace (/proc/net/snmp, proc(5))."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if "Udp:" in line[:4])
    return int(values[names.index("RcvbufErrors")])


class Run:
    """A sender, a receiver and the accounts, in one process: nobody reads while somebody sends."""

    def __init__(self, sender: UdpSender, receiver: UdpReceiver, ledger: Path) -> None:
        self._sender = sender
        self._receiver = receiver
        self._checker = Checker(ConsumerLedger(ledger), ordered=MECHANISM.traits.ordered)
        self._message = memoryview(bytearray(SIZE))

    def send(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            message.seal(self._message, producer=1, epoch=1, sequence=number, due_ns=0, sent_ns=0)
            self._sender.send(self._message, 1.0)

    def receive_all(self) -> Stream:
        buffer = memoryview(bytearray(SIZE))
        while True:
            try:
                length = self._receiver.receive_into(buffer, 0.05)
            except ReceiveTimeout:
                (account,) = self._checker.streams()
                return account
            header = message.parse(buffer[:length])
            self._checker.account(header.producer, header.epoch, header.sequence)


def test_a_flood_is_accounted_for_to_the_message(address: Address, tmp_path: Path) -> None:
    flood = 2000
    before = rcvbuf_errors()
    with MECHANISM.create_receiver(address) as receiver, MECHANISM.open_sender(address) as sender:
        run = Run(sender, receiver, tmp_path / "ledger")
        run.send(range(flood))
        account = run.receive_all()
        dropped = receiver.kernel_drops()
        assert 0 < dropped < flood
        assert account.received + dropped == flood
        # All that was dropped came last, so no number arrived behind it: the gap cannot be seen yet.
        assert account.missing + account.lost == 0
        run.send([flood])
        account = run.receive_all()
        assert account.missing + account.lost == dropped
        # What is missing for longer than the window is lost for good.
        for begin in range(flood + 1, flood + 2 + WINDOW, 50):
            run.send(range(begin, begin + 50))
            account = run.receive_all()
        assert (account.missing, account.lost_in_channel) == (0, dropped)
        assert receiver.kernel_drops() == dropped
    assert rcvbuf_errors() - before >= dropped  # others in this namespace may drop, too


def test_reordered_duplicate_and_lost_are_told_apart(address: Address, tmp_path: Path) -> None:
    rng = random.Random(1)
    numbers = list(range(60))  # few enough for the buffer: nothing is dropped here
    lost = set(rng.sample(numbers[1:-1], 7))
    arriving = [number for number in numbers[1:-1] if number not in lost]
    rng.shuffle(arriving)
    duplicates = rng.sample(arriving, 5)
    highest, late = -1, 0
    for number in [0, *arriving]:
        late += number < highest
        highest = max(highest, number)
    with MECHANISM.create_receiver(address) as receiver, MECHANISM.open_sender(address) as sender:
        run = Run(sender, receiver, tmp_path / "ledger")
        run.send([0, *arriving, *duplicates, numbers[-1]])
        account = run.receive_all()
        assert receiver.kernel_drops() == 0
    assert (account.missing, account.duplicate, account.reordered) == (len(lost), len(duplicates), late)
    assert account.received == len(numbers) - len(lost)


def test_a_refusal_is_about_an_earlier_message_and_the_one_in_hand_was_not_sent(
    sender: Peer, receiver: Peer, start: StartPeer
) -> None:
    receiver.kill()
    sender.do("send", sequence=1, size=100)  # taken, and lost
    second = start()
    second.do("open", role="receiver")
    with pytest.raises(PeerError) as gone:
        sender.do("send", sequence=2, size=100)
    assert (gone.value.kind, gone.value.errno_name) == ("PeerGone", "ECONNREFUSED")
    sender.do("send", sequence=3, size=100)
    assert second.do("drain") == [[3, 100]]


def test_a_probe_is_no_message(sender: Peer, receiver: Peer) -> None:
    assert receiver.do("drain") == []
    sender.do("send", sequence=1, size=100)
    assert receiver.do("drain") == [[1, 100]]


def test_a_second_receiver_is_refused_and_takes_nothing(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    with pytest.raises(PeerError) as refused:
        start().do("open", role="receiver")
    assert (refused.value.kind, refused.value.errno_name) == ("Unusable", "EADDRINUSE")
    sender.do("send", sequence=1, size=100)
    assert receiver.do("receive") == [1, 100]


def test_a_name_that_is_no_host_is_an_absent_peer(address: Address) -> None:
    with pytest.raises(PeerAbsent) as absent:
        MECHANISM.open_sender(replace(address, host="no such host"))
    assert absent.value.errno_name.startswith("EAI_"), "the resolver says so, and no system call"


def test_only_a_receiver_that_can_counts_drops(address: Address) -> None:
    with MECHANISM.create_receiver(address) as udp_receiver:
        assert isinstance(udp_receiver, CountsDrops)
    fifo_receiver = fifo.MECHANISM.create_receiver(address)
    assert not isinstance(fifo_receiver, CountsDrops)
    fifo_receiver.remove()
