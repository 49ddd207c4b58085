"""Which containers Prometheus sees a pair's consumer in: the one that left is gone before the other is spoken of."""

from __future__ import annotations

from labctl.place import findings
from support.prometheus import Vector, prometheus_that_says

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
