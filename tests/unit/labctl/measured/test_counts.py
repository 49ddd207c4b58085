"""What two sides count, asked at different moments, adds up."""

from __future__ import annotations

from labctl.lab.prometheus import Line
from labctl.measured import counts

# A consumer that is asked 0.4 s after its producer, every second; scrapes take 0.1 s. At 100 messages a second, the
# newest scrapes of both say that 540 were received of 500 sent.
PRODUCER = [1.0, 2.0, 3.0, 4.0, 5.0]
CONSUMER = [1.4, 2.4, 3.4, 4.4, 5.4]


def line(name: str, instance: str, times: list[float], values: list[float], **labels: str) -> Line:
    return Line({"__name__": name, "instance": instance, "mechanism": "fifo", **labels}, times, values)


def side(instance: str, times: list[float], took: float = 0.1, answers: float = 1) -> list[Line]:
    return [
        line("up", instance, times, [1.0] * (len(times) - 1) + [answers]),
        line("scrape_duration_seconds", instance, times, [took] * len(times)),
    ]


def sent(instance: str = "p", times: list[float] = PRODUCER) -> list[Line]:
    return [*side(instance, times), line("ipc_messages_sent_total", instance, times, [100 * time for time in times])]


def received(instance: str = "c", times: list[float] = CONSUMER, took: float = 0.1, answers: float = 1) -> list[Line]:
    counted = [100 * time for time in times]
    return [
        *side(instance, times, took, answers),
        line("ipc_messages_received_total", instance, times, counted),
        line("ipc_messages_lost_total", instance, times, [time // 2 for time in times], reason="channel"),
        line("ipc_messages_lost_total", instance, times, [0.0 for _ in times], reason="producer_restart"),
    ]


def totals(lines: list[Line]) -> dict[str, int]:
    return dict(counts.of(lines).totals["fifo"])


def test_nothing_is_received_that_is_not_yet_among_what_was_sent() -> None:
    assert totals(sent() + received()) == {"sent": 500, "received": 440, "lost": 2}


def test_a_scrape_counts_from_when_it_was_over() -> None:
    """The page is made after the scrape began: a consumer that takes long may have received more by then."""
    assert totals(sent() + received(took=0.7))["received"] == 340


def test_all_that_a_consumer_counts_is_of_one_scrape() -> None:
    found = counts.of(sent() + received())
    assert found.lost_by_reason["fifo"] == {"channel": 4.4 // 2, "producer_restart": 0}


def test_of_several_producers_the_one_that_was_asked_first_decides() -> None:
    other = sent("q", [time - 0.5 for time in PRODUCER])
    assert totals(sent() + other + received()) == {"sent": 950, "received": 440, "lost": 2}
    other = sent("q", [time - 0.7 for time in PRODUCER])
    assert totals(sent() + other + received())["received"] == 340


def test_a_consumer_that_was_scraped_once_is_what_there_is() -> None:
    assert totals(sent() + received(times=[5.4]))["received"] == 540


def test_who_does_not_answer_is_not_measured() -> None:
    assert totals(sent() + received(answers=0)) == {"sent": 500}
    assert totals(received()) == {"received": 540, "lost": 2}


def test_a_container_under_a_new_address_is_not_counted_twice() -> None:
    gone = received("old", [1.4, 2.4, 3.4], answers=0)
    assert totals(sent() + gone + received())["received"] == 440
