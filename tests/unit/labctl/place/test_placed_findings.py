"""Which containers Prometheus sees a pair's consumer in: the one that left is gone before the other is spoken of."""

from __future__ import annotations

import pytest

from labctl.place import findings
from support.prometheus import Vector, prometheus_that_says, scraped

ANSWERS: dict[str, Vector] = {
    "ipc_namespace_info": [
        ({"mechanism": "fifo", "role": "producer", "container": "aa", "ipc": "1"}, 1.0),
        ({"mechanism": "fifo", "role": "consumer", "container": "bb", "ipc": "2"}, 1.0),
        ({"mechanism": "fifo", "role": "consumer", "container": "cc", "ipc": "3"}, 1.0),
    ]
}


def test_the_containers_of_a_consumer_are_those_that_show_it_now() -> None:
    with prometheus_that_says(ANSWERS) as prometheus:
        assert findings.consumers_of(prometheus, "fifo") == {"bb", "cc"}
    with prometheus_that_says({}) as prometheus:
        assert findings.consumers_of(prometheus, "fifo") == set()


_BEFORE, _THERE = {"mechanism": "fifo", "role": "consumer", "container": "a"}, {"role": "consumer", "container": "b"}


@pytest.mark.parametrize(
    ("seen", "rate", "is_measured"),
    [
        ([(_THERE, 1.0)], 200.0, True),
        ([(_BEFORE, 1.0), (_THERE, 1.0)], 200.0, False),  # the rate is of both
        ([(_THERE, 1.0)], 0.0, False),  # the window of the rate began before the consumer came
    ],
)
def test_a_rate_counts_when_the_consumer_before_is_seen_no_longer(seen: Vector, rate: float, is_measured: bool) -> None:
    answers: dict[str, Vector] = {
        "ipc_namespace_info": seen,
        "mechanism:ipc_messages_received:rate5s": [({"mechanism": "fifo"}, rate)],
        "ipc_messages_received_total": scraped(messages_received=7.0),
    }
    with prometheus_that_says(answers) as prometheus:
        assert findings.is_measured(prometheus, "fifo", {"a"}) is is_measured
