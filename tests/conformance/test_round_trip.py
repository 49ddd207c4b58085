"""Asking and answering by every mechanism: whole, to who asked, and nobody waits for the dead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.conftest import StartPeer, kernel_objects
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Address, Direction, Mechanism, Sharing, Traits
from ipclab.contract.optional_parts import TwoWay
from ipclab.matrix import request_reply

ROUNDS = 5
WITHIN_S = 6.0  # no wait in here is longer than 2 s, and no command has more than two of them


@pytest.fixture(autouse=True)
def no_answerer_left(mechanism: Mechanism, address: Address) -> Iterator[None]:
    """What the killed leave is the next answerer's, and goes with it."""
    yield
    request_reply.create_answerer(mechanism, address).remove()


@pytest.fixture
def start(start: StartPeer) -> Iterator[StartPeer]:
    """As everywhere, but an endpoint in the middle of an echo is not waited for."""
    peers: list[Peer] = []

    def start_one() -> Peer:
        peers.append(start())
        return peers[-1]

    yield start_one
    for peer in peers:
        peer.kill()


@pytest.fixture
def answerer(start: StartPeer) -> Peer:
    peer = start()
    peer.do("open", role="answerer")
    return peer


@pytest.fixture
def asker(start: StartPeer, answerer: Peer) -> Peer:
    return _asker(start, answerer)


def _asker(start: StartPeer, answerer: Peer) -> Peer:
    """An asker that is open; the answerer echoes until it is quiet for longer than an asker waits."""
    peer = start()
    peer.begin("open", role="asker")
    answerer.begin("echo", questions=0)
    answerer.end()
    answerer.begin("echo")
    peer.end()
    return peer


def test_two_way_is_what_the_traits_say(mechanism: Mechanism, traits: Traits) -> None:
    assert isinstance(mechanism, TwoWay) == (traits.direction is Direction.TWO_WAY)


def test_an_echo_is_whole(asker: Peer, traits: Traits) -> None:
    largest = min(traits.max_message_bytes - 4, 1 << 17)  # a question on a System V queue carries 4 bytes of its own
    for number, size in enumerate((24, 64, 1000, 5000, largest)):
        assert asker.do("ask", sequence=number, size=size) == [number, size]


def test_a_reply_of_the_largest_size_arrives(asker: Peer, traits: Traits) -> None:
    size = min(traits.max_message_bytes, 1 << 20) - 4
    assert asker.do("ask", sequence=3, size=size, timeout_s=5.0) == [3, size]


@pytest.mark.mechanisms(picks=lambda traits: traits.direction is Direction.TWO_WAY)
def test_of_two_askers_each_gets_its_own_replies(asker: Peer, start: StartPeer) -> None:
    second = start()
    second.do("open", role="asker")
    for number in range(20):
        asker.do("send", sequence=number, size=100)
        second.do("send", sequence=1000 + number, size=200)
        assert second.do("receive_reply") == [1000 + number, 200]
        assert asker.do("receive_reply") == [number, 100]


@pytest.mark.mechanisms(picks=lambda traits: traits.direction is Direction.ONE_WAY)
def test_a_second_asker_waits_for_its_turn(asker: Peer, start: StartPeer) -> None:
    second = start()
    with pytest.raises(PeerError) as busy:
        second.do("open", role="asker")
    assert (busy.value.kind, busy.value.errno_name) == ("ChannelFull", "EAGAIN")
    assert asker.do("ask", sequence=1, size=100) == [1, 100]
    asker.do("close")
    second.do("open", role="asker")
    assert second.do("ask", sequence=2, size=100) == [2, 100]


def test_a_killed_asker_hangs_nobody(answerer: Peer, asker: Peer, start: StartPeer) -> None:
    for number in range(ROUNDS):
        asker.begin("ask_for_ever", size=500)
        for _ in range(number + 1):
            asker.line()
        asker.kill()
        asker = start()
        assert asker.do("seconds", of="open", arguments={"role": "asker"}) < WITHIN_S
        assert asker.do("ask", sequence=number, size=100) == [number, 100]
    assert answerer.pid


def test_a_killed_answerer_hangs_nobody(answerer: Peer, asker: Peer, start: StartPeer) -> None:
    assert asker.do("ask", sequence=1, size=100) == [1, 100]
    answerer.kill()
    assert asker.do("seconds", of="ask", arguments={"sequence": 2, "size": 100, "timeout_s": 0.3}) < WITHIN_S
    asker.do("close")
    assert start().do("seconds", of="open", arguments={"role": "asker"}) < WITHIN_S
    heir = start()
    heir.do("open", role="answerer")
    second = start()
    second.begin("open", role="asker")
    heir.begin("echo")
    second.end()
    answers = []
    for number in (3, 4):  # the question that nobody answered may be the heir's first; its reply is nobody's
        answers.append(second.do("ask", sequence=number, size=100))
    assert answers == [[3, 100], [4, 100]]


def test_a_late_reply_is_not_taken_for_the_next_one(answerer: Peer, start: StartPeer, traits: Traits) -> None:
    asker = start()
    asker.begin("open", role="asker")
    answerer.do("echo", questions=0)
    if traits.direction is Direction.ONE_WAY:
        answerer.begin("echo", timeout_s=1.5)  # meets the asker, and goes
        asker.end()
        answerer.end()
    else:
        asker.end()
    with pytest.raises(PeerError) as late:
        asker.do("ask", sequence=1, size=100, timeout_s=0.2)
    assert late.value.kind == "ReceiveTimeout"
    asker.do("close")
    asker.begin("open", role="asker")
    answerer.begin("echo")
    asker.end()
    assert asker.do("ask", sequence=2, size=100) == [2, 100]


def test_a_reply_to_the_dead_is_not_the_next_ones(answerer: Peer, start: StartPeer) -> None:
    asker = start()
    asker.begin("open", role="asker")
    answerer.begin("echo", questions=1)
    asker.end()
    assert asker.do("ask", sequence=1, size=100) == [1, 100]
    assert answerer.end() == 1
    asker.do("send", sequence=2, size=24)  # as short as an introduction
    asker.kill()
    answerer.do("echo", questions=1, timeout_s=0.3)  # replied, where the kernel keeps the channel of the dead
    asker = start()
    asker.begin("open", role="asker")
    answerer.begin("echo")
    asker.end()
    assert asker.do("ask", sequence=3, size=100) == [3, 100]


def test_askers_and_answerers_leave_nothing(start: StartPeer) -> None:
    before = kernel_objects()
    answerer = start()
    answerer.do("open", role="answerer")
    asker = _asker(start, answerer)
    assert asker.do("ask", sequence=1, size=100) == [1, 100]
    asker.do("close")
    second = _asker_of_running(start)
    second.kill()
    answerer.kill()
    heir = start()
    heir.do("open", role="answerer")
    heir.do("remove")
    assert kernel_objects() == before


def _asker_of_running(start: StartPeer) -> Peer:
    peer = start()
    peer.do("open", role="asker")
    return peer


def test_another_user_may_not_ask(answerer: Peer, start: StartPeer, traits: Traits) -> None:
    if Sharing.NETWORK in traits.requires:
        pytest.skip("an address there has no owner")
    assert answerer.pid
    with pytest.raises(PeerError) as refused:
        start().do("open", role="asker", user=65534)
    assert (refused.value.kind, refused.value.errno_name) == ("AccessRefused", "EACCES")
