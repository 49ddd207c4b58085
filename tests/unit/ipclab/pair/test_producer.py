from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, ProducerLedger
from ipclab.accounting.message import Header
from ipclab.contract.errors import AccessRefused, MessageTooLarge, Unusable
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Definition
from ipclab.metrics.histogram import Histogram
from ipclab.pair import producer
from ipclab.pair.producer import MAX_LAG_NS, Producer
from ipclab.runtime.lifecycle import TICK_NS, EndpointStatus, Stop
from ipclab.runtime.overrides import Load, load_override
from support.scripted import ADDRESS, MAX_MESSAGE_BYTES, Channel, Clock, S, absent, full, gone

RATE = 200


class Life:
    """One life of a producer on a directory, a channel and a clock that outlive it."""

    def __init__(self, directory: Path, clock: Clock, load: Load | None = None) -> None:
        self.clock = clock
        self.stop = Stop()
        self.channel = Channel(clock, self.stop)
        self.ledger = ProducerLedger(directory / "producer.ledger")
        self.load = load_override(directory / "load.json", load or Load(RATE, 128))
        self.began_ns = clock.now_ns
        self.alive = directory / "alive"
        status = EndpointStatus(self.alive)
        self.producer = Producer(self.channel, ADDRESS, self.ledger, self.load, status, self.stop)

    def run(self, *, until_ns: int | None = None) -> None:
        """Run until the channel or the clock says stop; the clock asks at every sleep."""
        if until_ns is not None:
            sleep = self.clock.sleep

            def sleep_and_stop(seconds: float) -> None:
                sleep(seconds)
                if self.clock.now_ns >= until_ns:
                    self.stop.request("time is up")

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(self.clock, "sleep", sleep_and_stop)
                self.producer.run()
        else:
            self.producer.run()

    def metric(self, definition: Definition, *labels: str) -> float:
        (value,) = [s.value for s in self.producer.samples() if s.definition is definition and s.labels == labels]
        assert isinstance(value, int | float)
        return value

    @property
    def headers(self) -> list[Header]:
        return [message.parse(memoryview(whole)) for whole in self.channel.arrived]

    @property
    def sequences(self) -> list[int]:
        return [header.sequence for header in self.headers]


@pytest.fixture(autouse=True, params=["by a copy", "in place"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test, with a channel that copies and with one that loans and borrows."""
    monkeypatch.setattr(Channel, "in_place", request.param == "in place")
    return str(request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(producer, "time", clock)
    return clock


@pytest.fixture
def life(tmp_path: Path, clock: Clock) -> Life:
    return Life(tmp_path, clock)


def sending(life: Life, count: int, failures: dict[int, Callable[[], Exception]] | None = None) -> None:
    """Let `count` attempts to send happen, some of which fail; then stop."""

    def on_send(attempt: int, _message: bytes) -> bool:
        if attempt == count:
            life.stop.request("enough")
        if failures and attempt in failures:
            raise failures[attempt]()
        return True

    life.channel.on_send = on_send
    life.run()


# --- where the time goes ---------------------------------------------------------------------------------


def test_of_one_message_in_so_many_it_is_measured_how_late_it_was_and_how_long_send_took(life: Life) -> None:
    def on_send(attempt: int, _message: bytes) -> bool:
        life.clock.now_ns += 7_000  # in send
        if attempt == 3 * metrics.PART_OF:
            life.stop.request("enough")
        return True

    life.channel.on_send = on_send
    life.run()
    late, send = (
        next(s.value for s in life.producer.samples() if s.definition is metrics.MESSAGE_PART and s.labels == (part,))
        for part in ("late", "send")
    )
    assert isinstance(late, Histogram)
    assert isinstance(send, Histogram)
    measured = [h for h in life.headers if h.sequence % metrics.PART_OF == 0]
    assert len(measured) == 3
    assert (sum(send.counts), send.sum_ns) == (3, 3 * 7_000)
    assert (sum(late.counts), late.sum_ns) == (3, sum(h.sent_ns - h.due_ns for h in measured))


def test_a_number_that_was_not_sent_is_not_measured(life: Life) -> None:
    sending(life, 3, {1: full, 2: full})
    (send,) = [s.value for s in life.producer.samples() if s.labels == ("send",)]
    assert isinstance(send, Histogram)
    assert sum(send.counts) == 1


# --- steady load --------------------------------------------------------------------------------------


def test_ten_seconds_of_load_are_on_time_and_in_order(life: Life) -> None:
    life.run(until_ns=life.began_ns + 10 * S)
    headers = life.headers
    assert [h.sequence for h in headers] == list(range(len(headers)))
    assert [h.due_ns for h in headers] == [life.began_ns + n * S // RATE for n in range(len(headers))]
    assert all(0 <= h.sent_ns - h.due_ns < 1_000_000 for h in headers)
    assert abs(len(headers) - 10 * RATE) <= 1
    assert life.metric(metrics.SENT) == len(headers)
    assert life.metric(metrics.SKIPPED) == 0


def test_every_message_is_sealed_of_the_loads_size_and_of_its_own_bytes(life: Life) -> None:
    sending(life, 50)
    assert {len(whole) for whole in life.channel.arrived} == {128}
    assert {h.producer for h in life.headers} == {life.ledger.identity}
    assert len({h.epoch for h in life.headers}) == 1
    assert all(h.checksum for h in life.headers)
    assert len({whole[message.HEADER_BYTES :] for whole in life.channel.arrived}) == 50


def test_the_health_file_is_there_while_the_channel_is_open(life: Life) -> None:
    sending(life, 3)
    assert life.alive.exists()


# --- failures -----------------------------------------------------------------------------------------


def test_a_definite_failure_keeps_the_number(life: Life) -> None:
    sending(life, 9, {2: gone, 5: full, 6: full})
    assert life.sequences == list(range(6))
    assert life.channel.opens == 2
    assert life.channel.closed == 2
    assert life.metric(metrics.SENT) == 6
    assert life.metric(metrics.SEND_ERRORS, "EPIPE") == 1
    assert life.metric(metrics.SEND_ERRORS, "EAGAIN") == 2
    assert life.metric(metrics.SEND_ERRORS, "ENOENT") == 0


def test_a_message_that_may_have_arrived_is_not_sent_again(life: Life) -> None:
    sending(life, 5, {3: lambda: gone(may_be_delivered=True)})
    assert life.sequences == [0, 1, 3, 4]
    assert life.metric(metrics.SENT) == 5  # the consumer sees a gap, or the message


def test_the_latency_of_a_message_counts_from_when_it_was_first_due(life: Life) -> None:
    sending(life, 4, {2: full, 3: full})
    second = life.headers[1]
    assert second.sequence == 1
    assert second.due_ns == life.began_ns + S // RATE
    assert second.sent_ns - second.due_ns >= 2 * TICK_NS


def test_no_peer_is_asked_for_ever_more_slowly_and_what_was_due_is_skipped(life: Life) -> None:
    opened_at = 0

    def on_open(_attempt: int) -> None:
        nonlocal opened_at
        if life.clock.now_ns < life.began_ns + 60 * S:
            assert not life.alive.exists()
            raise absent()
        opened_at = life.clock.now_ns
        life.clock.sleeps.append(-1)

    life.channel.on_open = on_open
    sending(life, RATE)
    waits = life.clock.sleeps[: life.clock.sleeps.index(-1)]
    assert waits[:6] == [0.02, 0.04, 0.08, 0.16, 0.32, 0.5]
    assert set(waits[6:]) == {0.5}
    assert life.metric(metrics.SEND_ERRORS, "ENOENT") == len(waits)
    assert life.sequences == list(range(RATE))
    # Of a minute's messages, those of the last second are still sent.
    late = opened_at - life.headers[0].due_ns
    assert MAX_LAG_NS - S // RATE <= late <= MAX_LAG_NS
    assert life.metric(metrics.SKIPPED) == (life.headers[0].due_ns - life.began_ns) * RATE // S


def test_a_refusal_is_waited_out_and_the_unusable_ends_the_loop(life: Life) -> None:
    def on_open(attempt: int) -> None:
        if attempt == 1:
            raise AccessRefused("not yours", code=errno.EACCES)
        raise Unusable("not here", code=errno.ENOSYS)

    life.channel.on_open = on_open
    with pytest.raises(Unusable):
        life.run()
    assert life.metric(metrics.SEND_ERRORS, "EACCES") == 1


@pytest.mark.parametrize("full_for_s", [0.6, 3, 17])
def test_what_was_due_while_the_channel_was_full_is_sent_or_skipped(life: Life, full_for_s: float) -> None:
    def on_send(attempt: int, _message: bytes) -> bool:
        if attempt > 100 and life.clock.now_ns < life.began_ns + int((0.5 + full_for_s) * 1e9):
            raise full()
        return True

    life.channel.on_send = on_send
    life.run(until_ns=life.began_ns + 30 * S)
    sent, skipped = life.metric(metrics.SENT), life.metric(metrics.SKIPPED)
    assert sent + skipped == pytest.approx(30 * RATE, abs=1)
    assert sent == len(life.channel.arrived)
    assert life.sequences == list(range(len(life.sequences)))
    # 100 messages take half a second; what became due from then on until the channel had room is over
    # after it, but for the last second of it, and a tick.
    if full_for_s < 1:
        assert skipped == 0
    else:
        assert (full_for_s - 1) * RATE <= skipped <= (full_for_s + 0.5) * RATE
    assert all(h.sent_ns - h.due_ns <= MAX_LAG_NS + TICK_NS for h in life.headers)


# --- the load -----------------------------------------------------------------------------------------


def test_a_new_load_takes_effect_within_a_tick_and_goes_back_on_reset(life: Life) -> None:
    changes: list[tuple[int, Callable[[], None]]] = [
        (life.began_ns + 2 * S, lambda: life.load.write(Load(1000, 4096))),
        (life.began_ns + 4 * S, life.load.reset),
    ]

    def on_send(_attempt: int, _message: bytes) -> bool:
        if changes and life.clock.now_ns >= changes[0][0]:
            changes.pop(0)[1]()
        return True

    life.channel.on_send = on_send
    life.run(until_ns=life.began_ns + 6 * S)
    assert life.sequences == list(range(len(life.sequences)))
    sizes = {h.length for h in life.headers}
    assert sizes == {128, 4096}
    large = [h.sent_ns - life.began_ns for h in life.headers if h.length == 4096]
    assert 2 * S <= large[0] <= 2 * S + 2 * TICK_NS
    assert 4 * S <= large[-1] <= 4 * S + 2 * TICK_NS
    assert len(large) == pytest.approx(1000 * (large[-1] - large[0]) / S, abs=2)
    assert life.metric(metrics.LOAD_RATE) == RATE
    assert life.metric(metrics.MESSAGE_SIZE) == 128


def test_the_messages_of_a_burst_are_due_together_and_sent_one_behind_the_other(tmp_path: Path, clock: Clock) -> None:
    """Latency counts from the due time of the burst: the wait for the messages before it is part of it."""
    life = Life(tmp_path, clock, Load(RATE, 128, 50))

    def on_send(_attempt: int, _message: bytes) -> bool:
        life.clock.now_ns += 1000
        return True

    life.channel.on_send = on_send
    life.run(until_ns=life.began_ns + 2 * S)
    headers = life.headers
    assert len(headers) >= RATE
    assert [h.due_ns - life.began_ns for h in headers] == [n // 50 * 50 * S // RATE for n in range(len(headers))]
    burst = [h.sent_ns - h.due_ns for h in headers[50:100]]
    assert burst == sorted(burst)
    assert burst[-1] - burst[0] >= 49 * 1000
    assert life.metric(metrics.LOAD_BURST) == 50


@pytest.mark.parametrize("sequence", [4094, 10**12 + 4095])  # about the end of the pool its bytes come from
def test_the_largest_message_of_the_mechanism_can_be_sent(tmp_path: Path, clock: Clock, sequence: int) -> None:
    life = Life(tmp_path, clock, Load(RATE, MAX_MESSAGE_BYTES))
    life.ledger.next_sequence = sequence
    sending(life, 3)
    assert {h.length for h in life.headers} == {MAX_MESSAGE_BYTES}


def test_due_messages_are_conserved_across_a_change_of_load(life: Life) -> None:
    """The channel is full when the load is changed, so that some of what was due under the old one is not sent."""
    wrote = False

    def on_send(_attempt: int, _message: bytes) -> bool:
        nonlocal wrote
        if life.began_ns + S <= life.clock.now_ns < life.began_ns + 2 * S:
            if not wrote:
                life.load.write(Load(RATE, 256))
                wrote = True
            raise full()
        return True

    life.channel.on_send = on_send
    life.run(until_ns=life.began_ns + 5 * S)
    sent, skipped = life.metric(metrics.SENT), life.metric(metrics.SKIPPED)
    assert sent + skipped == pytest.approx(5 * RATE, abs=2)
    assert skipped > 0
    assert sent == len(life.channel.arrived)
    assert life.sequences == list(range(len(life.sequences)))


@pytest.mark.parametrize("text", ["", "[]", '{"rate": 0, "size_bytes": 64}'])
def test_a_load_file_that_is_garbage_does_not_end_the_producer(tmp_path: Path, clock: Clock, text: str) -> None:
    (tmp_path / "load.json").write_text(text)
    life = Life(tmp_path, clock)
    sending(life, 2)
    assert life.sequences == [0, 1]
    assert life.metric(metrics.LOAD_RATE) == RATE


def test_a_load_file_that_becomes_garbage_gives_the_usual_load(tmp_path: Path, clock: Clock) -> None:
    load_override(tmp_path / "load.json", Load(1, 64)).write(Load(500, 300))
    life = Life(tmp_path, clock)

    def on_send(attempt: int, _message: bytes) -> bool:
        if attempt == 100:
            (tmp_path / "load.json").write_text("half of a lo")
        return True

    life.channel.on_send = on_send
    life.run(until_ns=life.began_ns + 2 * S)
    assert life.sequences == list(range(len(life.sequences)))
    assert [h.length for h in life.headers][99::100] == [300, *[128] * (len(life.headers) // 100 - 1)]
    assert life.metric(metrics.LOAD_RATE) == RATE


def test_a_load_from_an_earlier_life_is_taken_up(tmp_path: Path, clock: Clock) -> None:
    load_override(tmp_path / "load.json", Load(1, 64)).write(Load(500, 300))
    life = Life(tmp_path, clock)
    assert life.metric(metrics.LOAD_RATE) == 500
    sending(life, 2)
    assert {h.length for h in life.headers} == {300}


# --- across lives -------------------------------------------------------------------------------------


def test_a_message_that_was_not_sent_gives_its_number_back(tmp_path: Path, clock: Clock) -> None:
    first = Life(tmp_path, clock)
    sending(first, 5, {5: full})
    assert first.sequences == [0, 1, 2, 3]
    assert first.ledger.next_sequence == 4
    second = Life(tmp_path, clock)
    sending(second, 1)
    assert second.sequences == [4]
    assert second.headers[0].producer == first.headers[0].producer
    assert second.headers[0].epoch > first.headers[0].epoch


def test_a_number_without_a_channel_is_given_back_too(tmp_path: Path, clock: Clock) -> None:
    life = Life(tmp_path, clock)
    life.channel.on_open = lambda attempt: life.stop.request("enough") if attempt > 1 else None
    sending(life, 1, {1: gone})
    assert life.ledger.next_sequence == 0


def test_the_number_of_sent_messages_does_not_fall_when_it_stops(life: Life) -> None:
    sending(life, 3, {3: full})
    assert life.metric(metrics.SENT) == life.ledger.next_sequence == 2


def test_an_error_that_ends_the_loop_gives_the_number_back(tmp_path: Path, clock: Clock) -> None:
    first = Life(tmp_path, clock)
    with pytest.raises(MessageTooLarge):
        sending(first, 9, {3: lambda: MessageTooLarge("giant", code=errno.EMSGSIZE)})
    assert first.metric(metrics.SENT) == first.ledger.next_sequence == 2
    second = Life(tmp_path, clock)
    sending(second, 1)
    assert second.sequences == [2]


def test_a_message_waiting_for_room_is_not_counted_as_sent(life: Life) -> None:
    seen: list[float] = []

    def on_send(attempt: int, _message: bytes) -> bool:
        if attempt >= 3:
            seen.append(life.metric(metrics.SENT))
            life.stop.requested = attempt == 5
            raise full()
        return True

    life.channel.on_send = on_send
    life.run()
    assert seen == [2, 2, 2]


@pytest.mark.parametrize("failure", [full, gone])
def test_a_loan_that_fails_keeps_its_number(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], Exception]
) -> None:
    monkeypatch.setattr(Channel, "in_place", True)
    life = Life(tmp_path, clock)
    failures = iter([False, True, True, False, True, False])

    def on_loan() -> None:
        if next(failures):
            raise failure()

    life.channel.on_loan = on_loan
    sending(life, 3)
    assert life.sequences == [0, 1, 2]
    assert life.metric(metrics.SENT) == 3


class Killed(BaseException):
    """kill -9, in so far as nothing of the loop runs afterwards."""


def test_a_producer_killed_in_its_send_leaves_a_number_that_nobody_uses_again(tmp_path: Path, clock: Clock) -> None:
    first = Life(tmp_path, clock)

    def on_send(attempt: int, _message: bytes) -> bool:
        if attempt == 3:
            raise Killed
        return True

    first.channel.on_send = on_send
    with pytest.raises(Killed):
        first.run()
    second = Life(tmp_path, clock)
    assert second.metric(metrics.SENT) == 3
    sending(second, 1)
    assert second.sequences == [3]


outcomes = st.lists(
    st.sampled_from(
        ["arrives", "arrives", "arrives", "full", "gone", "half arrives", "half lost", "killed", "stopped"]
    ),
    max_size=60,
)


@settings(max_examples=100)
@given(outcomes=outcomes)
def test_sent_is_received_and_lost_whatever_the_channel_and_the_producer_do(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[str]
) -> None:
    directory, clock = tmp_path_factory.mktemp("lives"), Clock()
    checker = Checker(ConsumerLedger(directory / "consumer.ledger"), ordered=True)
    script = iter([*outcomes, "last"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(producer, "time", clock)
        over = False
        while not over:
            life = Life(directory, clock)

            def on_send(_attempt: int, whole: bytes, life: Life = life) -> bool:
                nonlocal over
                outcome = next(script)
                if outcome in ("arrives", "half arrives", "last"):
                    header = message.parse(memoryview(whole))
                    checker.account(header.producer, header.epoch, header.sequence)
                match outcome:
                    case "full":
                        raise full()
                    case "gone":
                        raise gone()
                    case "half arrives" | "half lost":
                        raise gone(may_be_delivered=True)
                    case "killed":
                        raise Killed
                    case "stopped":
                        life.stop.request("graceful")
                        raise full()
                    case "last":
                        over = True
                        life.stop.request("over")
                return True

            life.channel.on_send = on_send
            try:
                life.run()
            except Killed:
                continue
    (stream,) = checker.streams()
    sent = life.metric(metrics.SENT)
    assert sent == stream.received + stream.lost + stream.missing
    assert stream.received == sum(1 for o in outcomes if o in ("arrives", "half arrives")) + 1
    # Exactly these are the numbers that were taken and did not arrive; a failure that is none costs none.
    assert stream.lost == sum(1 for o in outcomes if o in ("half lost", "killed"))
    assert stream.duplicate == stream.reordered == 0
