from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.contract.errors import AccessRefused, MessageTooLarge, PeerAbsent, ReceiveTimeout, TornMessage, Unusable
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Definition
from ipclab.metrics.histogram import Histogram, bucket
from ipclab.pair import consumer
from ipclab.pair.consumer import Consumer
from ipclab.runtime.lifecycle import TICK_NS, EndpointStatus, Stop
from support.scripted import ADDRESS, MAX_MESSAGE_BYTES, Channel, Clock, S, gone, traits


class Life:
    """One life of a consumer on a directory and a clock that outlive it."""

    def __init__(self, directory: Path, clock: Clock, *, ordered: bool = True) -> None:
        self.clock = clock
        self.stop = Stop()
        self.channel = Channel(clock, self.stop, traits=traits(ordered=ordered))
        self.alive = directory / "alive"
        ledger = ConsumerLedger(directory / "consumer.ledger")
        checker = Checker(ledger, ordered=ordered, gives_back=Channel.in_place)
        self.consumer = Consumer(self.channel, ADDRESS, checker, EndpointStatus(self.alive), self.stop)

    def receive(self, *script: bytes | Exception) -> None:
        self.channel.script = iter(script)
        self.consumer.run()

    def metric(self, definition: Definition, *labels: str) -> float | Histogram:
        (value,) = [s.value for s in self.consumer.samples() if s.definition is definition and s.labels == labels]
        return value

    def counts(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for sample in self.consumer.samples():
            if isinstance(sample.value, int) and sample.value and sample.definition.name.startswith("ipc_messages"):
                found["_".join((sample.definition.name.removeprefix("ipc_messages_"), *sample.labels))] = sample.value
        return found


@pytest.fixture(autouse=True, params=["by a copy", "in place"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test, with a channel that copies and with one that loans and borrows."""
    monkeypatch.setattr(Channel, "in_place", request.param == "in place")
    return str(request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(consumer, "time", clock)
    return clock


@pytest.fixture
def life(tmp_path: Path, clock: Clock) -> Life:
    return Life(tmp_path, clock)


def sealed(
    sequence: int, *, body: bytes = b"body", epoch: int = 1, due_ns: int = 0, sent_ns: int = 0, producer: int = 7
) -> bytes:
    whole = bytearray(message.HEADER_BYTES) + body
    message.seal(memoryview(whole), producer=producer, epoch=epoch, sequence=sequence, due_ns=due_ns, sent_ns=sent_ns)
    return bytes(whole)


def torn() -> Exception:
    return TornMessage("half a frame", code=errno.EBADMSG)


def too_large() -> Exception:
    return MessageTooLarge("a giant", code=errno.EMSGSIZE)


def timeout() -> Exception:
    return ReceiveTimeout("empty", code=errno.EAGAIN)


def test_what_arrives_in_order_is_received(life: Life) -> None:
    bodies = [b"x" * n for n in (500, 3, 0, 8192 - message.HEADER_BYTES, 1)]
    messages = [sealed(n, body=body) for n, body in enumerate(bodies)]
    life.receive(*messages)
    assert life.counts() == {"received": 5}
    assert life.metric(metrics.RECEIVED_BYTES) == sum(map(len, messages))
    assert life.channel.closed == life.channel.opens == 1


def test_lost_duplicated_and_reordered(tmp_path: Path, clock: Clock) -> None:
    life = Life(tmp_path, clock, ordered=False)
    life.receive(*[sealed(n) for n in (0, 1, 1, 4, 3, 5)], sealed(8, epoch=2), sealed(8, epoch=2))
    assert life.counts() == {"received": 6, "duplicate": 2, "reordered": 1, "lost_producer_restart": 2}
    again = Life(tmp_path, clock, ordered=False)
    again.receive(sealed(10, epoch=2))
    assert again.counts() == {
        "received": 7,
        "duplicate": 2,
        "reordered": 1,
        "lost_producer_restart": 2,
        "lost_consumer_restart": 2,  # number 2, never filled, and 9
    }


@pytest.mark.parametrize(
    "arrival",
    [
        b"",
        b"no message of ours",
        b"\0" * MAX_MESSAGE_BYTES,
        sealed(1)[:-1],
        sealed(1) + b"!",
        sealed(1)[:-1] + b"!",
        sealed(1, producer=0),
        sealed(2**64 - 1),
        sealed(2**64 - 1, producer=99),
        torn(),
        too_large(),
    ],
    ids=[
        "empty",
        "foreign",
        "zeros",
        "cut",
        "longer",
        "altered",
        "producer zero",
        "number beyond the last",
        "number beyond the last of a stranger",
        "torn",
        "too large",
    ],
)
def test_what_is_no_message_as_sent_is_corrupt_and_the_next_one_is_received(
    life: Life, arrival: bytes | Exception
) -> None:
    life.receive(sealed(0), arrival, sealed(2), arrival, sealed(4))
    assert life.counts() == {"received": 3, "corrupt": 2, "lost_channel": 2}
    assert life.metric(metrics.RECEIVED_BYTES) == 3 * len(sealed(0))
    assert life.channel.opens == 1


def test_corrupt_arrivals_are_counted_across_lives(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        life = Life(tmp_path, clock)
        life.receive(sealed(number), torn())
    assert life.counts() == {"received": 3, "corrupt": 3}


def test_a_message_of_producer_zero_is_corrupt_and_hides_nobody_from_the_next_life(
    tmp_path: Path, clock: Clock
) -> None:
    life = Life(tmp_path, clock)
    life.receive(sealed(0, producer=0), sealed(0, producer=5))
    assert life.counts() == {"received": 1, "corrupt": 1}
    assert Life(tmp_path, clock).counts() == {"received": 1, "corrupt": 1}


def test_a_foreign_message_with_the_last_number_does_not_end_the_consumer(tmp_path: Path, clock: Clock) -> None:
    life = Life(tmp_path, clock)
    last = sealed(2**63 - 1, producer=99)
    life.receive(sealed(0), last, sealed(2**63, producer=99), last, sealed(1))
    counts = {"received": 3, "corrupt": 1, "duplicate": 1, "lost_consumer_restart": 2**63 - 1}
    assert life.counts() == counts
    assert Life(tmp_path, clock).counts() == counts


class Killed(BaseException):
    """kill -9, in so far as nothing of the loop runs afterwards."""


def test_a_message_is_in_the_ledger_before_it_is_given_back(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that is killed between the two finds the message again, and counts it once."""
    monkeypatch.setattr(Channel, "in_place", True)
    life = Life(tmp_path, clock)
    counted: list[float] = []

    def on_release() -> None:
        counted.append(life.counts()["received"])
        if len(counted) == 3:
            raise Killed

    life.channel.on_release = on_release
    with pytest.raises(Killed):
        life.receive(*map(sealed, range(5)))
    assert counted == [1, 2, 3]
    again = Life(tmp_path, clock)
    again.receive(*map(sealed, range(2, 5)))
    assert again.counts() == {"received": 5}


def test_a_corrupt_message_is_given_back_too(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "in_place", True)
    life = Life(tmp_path, clock)
    released: list[float] = []
    life.channel.on_release = lambda: released.append(life.metric(metrics.CORRUPT))  # type: ignore[arg-type]
    life.receive(sealed(0), sealed(1)[:-1], sealed(2))
    assert life.counts() == {"received": 2, "corrupt": 1, "lost_channel": 1}
    assert len(released) == 3


def test_a_timeout_is_nothing(life: Life) -> None:
    life.receive(timeout(), sealed(0), timeout(), timeout(), sealed(1))
    assert life.counts() == {"received": 2}
    assert life.channel.opens == 1


def test_a_channel_that_is_taken_away_is_made_again(life: Life) -> None:
    life.receive(sealed(0), gone(), sealed(1), gone(), gone(), sealed(3))
    assert life.counts() == {"received": 3, "lost_channel": 1}
    assert life.channel.opens == life.channel.closed == 4
    assert life.metric(metrics.CHANNEL_OPENS) == 4
    assert life.metric(metrics.CHANNEL_OPEN) == 1
    assert all(wait > 0 for wait in life.clock.sleeps)  # it does not spin
    assert len(life.clock.sleeps) == 3


def test_while_there_is_no_channel_the_health_check_knows(life: Life) -> None:
    health: list[bool] = []

    def on_open(attempt: int) -> None:
        health.append(life.alive.exists())
        life.clock.now_ns += S
        if attempt == 2:
            raise AccessRefused("somebody else's", code=errno.EACCES)
        if attempt == 3:
            raise PeerAbsent("removed while it was adopted", code=errno.ENOENT)

    life.channel.on_open = on_open
    life.receive(timeout(), gone())
    assert health == [False, False, False, False]
    assert life.alive.exists()  # open again, since its last breath


def test_what_stands_in_the_way_is_said_once_with_a_hint(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    def on_open(attempt: int) -> None:
        if attempt in (1, 2, 3, 5):
            raise AccessRefused("a volume", code=errno.EROFS)

    life.channel.on_open = on_open
    life.receive(sealed(0), gone(), timeout())
    said = [record.getMessage() for record in caplog.records if "EROFS" in record.getMessage()]
    assert len(said) == 2  # it was over in between
    assert all("hint: " in line and "\n" not in line for line in said)


def test_the_unusable_ends_the_loop(life: Life) -> None:
    life.receive(sealed(0), gone(), sealed(1))
    life = Life(life.alive.parent, life.clock)

    def on_open(_attempt: int) -> None:
        raise Unusable("not here", code=errno.ENOSYS)

    life.channel.on_open = on_open
    with pytest.raises(Unusable):
        life.consumer.run()


@pytest.mark.parametrize("late_ns", [0, 900, 250_000, 5 * S])
def test_latency_counts_from_the_due_time(life: Life, late_ns: int) -> None:
    due_ns, sent_ns = life.clock.now_ns - late_ns, life.clock.now_ns - late_ns // 3
    life.receive(sealed(0, due_ns=due_ns, sent_ns=sent_ns), torn(), sealed(1, due_ns=due_ns, sent_ns=sent_ns))
    histogram = life.metric(metrics.LATENCY)
    assert isinstance(histogram, Histogram)
    assert histogram.sum_ns == 2 * late_ns
    assert [n for n, count in enumerate(histogram.counts) if count] == [bucket(late_ns)]
    assert histogram.counts[bucket(late_ns)] == 2


def test_it_stops_after_the_message_in_hand(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = message.parse

    def parse_and_stop(whole: memoryview) -> message.Header:
        life.stop.request("now")
        return parse(whole)

    monkeypatch.setattr(message, "parse", parse_and_stop)
    life.receive(sealed(0), sealed(1))
    assert life.counts() == {"received": 1}
    assert life.channel.closed == 1


@pytest.mark.parametrize("damage", [lambda: torn(), lambda: gone(), lambda: timeout()])
def test_a_thousand_failures_in_a_row_are_survived(life: Life, damage: Callable[[], Exception]) -> None:
    life.receive(*[damage() for _ in range(1000)], sealed(0))
    assert life.metric(metrics.RECEIVED) == 1


def test_the_kernel_is_asked_on_a_tick_and_not_per_message(life: Life) -> None:
    shown: list[float | Histogram] = []

    def script() -> Iterator[bytes]:
        for number in range(5):
            life.channel.dropped += 1
            shown.append(life.metric(metrics.KERNEL_DROPS))
            if number == 3:
                life.clock.now_ns += TICK_NS
            yield sealed(number)

    life.channel.script = script()
    life.consumer.run()
    assert shown == [0, 1, 1, 1, 4]
    assert life.metric(metrics.KERNEL_DROPS) == 5


def test_of_one_message_in_so_many_it_is_measured_how_long_it_took_since_it_was_sent(
    life: Life, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts lie inside the latency (transit) and behind it (check)."""
    account = life.consumer._checker.account

    def slow(*message: int) -> None:
        account(*message)
        clock.now_ns += 3_000

    monkeypatch.setattr(life.consumer._checker, "account", slow)
    began = clock.now_ns
    count = 2 * metrics.PART_OF + 1
    life.receive(*(sealed(n, sent_ns=began - 5_000 + 3_000 * n) for n in range(count)))
    transit, check = (life.metric(metrics.MESSAGE_PART, part) for part in ("transit", "check"))
    assert isinstance(transit, Histogram)
    assert isinstance(check, Histogram)
    assert (sum(transit.counts), sum(check.counts)) == (3, 3)
    assert (transit.sum_ns, check.sum_ns) == (3 * 5_000, 3 * 3_000)
