"""One of the two loops at full speed in a process of its own, with its metrics or without.

`python -m bench.loop ROLE MECHANISM ADDRESS_JSON STATE_DIR SECONDS with|without`; each prints how often it slept, the
consumer also how many messages it received in how many seconds.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ipclab import mechanisms
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, ProducerLedger
from ipclab.contract.channel import Address
from ipclab.metrics.definitions import Role
from ipclab.metrics.exposition import Page
from ipclab.metrics.histogram import Histogram
from ipclab.metrics.page_server import PageServer
from ipclab.pair.consumer import Consumer
from ipclab.pair.producer import Producer
from ipclab.runtime import settings
from ipclab.runtime.lifecycle import EndpointStatus, Stop
from ipclab.runtime.overrides import Load, load_override

MESSAGE_BYTES = 64


class _NoStatus(EndpointStatus):
    """A status that shows nothing."""

    def tick(self, now_ns: int) -> bool:  # noqa: ARG002 - that is the point
        return False


class _NoHistogram(Histogram):
    """A histogram that keeps nothing."""

    def record(self, nanoseconds: int) -> None:
        """Measure nothing."""


def main() -> None:
    """Run until the time is over."""
    role, mechanism, address_text, state_text, seconds_text, choice = sys.argv[1:]
    measured = choice == "with"
    state = Path(state_text)
    fields = json.loads(address_text)
    address = Address(**{**fields, "path": Path(fields["path"])})
    stop = Stop()
    status = (EndpointStatus if measured else _NoStatus)(state / f"{role}.alive")
    subject = mechanisms.load(mechanism)
    if role == "producer":
        ledger = ProducerLedger(state / "producer.ledger")
        load = load_override(state / "load.json", Load(settings.MAX_RATE, MESSAGE_BYTES))
        producer = Producer(subject, address, ledger, load, status, stop)
        if not measured:
            producer._late = producer._send = _NoHistogram()
        _run(producer.run, stop, float(seconds_text) + 2)
        print(json.dumps({"sleeps": _sleeps()}))
        return
    checker = Checker(ConsumerLedger(state / "consumer.ledger"), ordered=subject.traits.ordered)
    consumer = Consumer(subject, address, checker, status, stop)
    if measured:
        page = Page(mechanism, Role.CONSUMER, consumer.samples)
        server = PageServer(0, page.text, "127.0.0.1")
        server.start()
        threading.Thread(target=_scrape, args=(server.port, stop), daemon=True).start()
    else:
        consumer._latency = consumer._transit = consumer._check = _NoHistogram()
    begin = time.monotonic()
    _run(consumer.run, stop, float(seconds_text))
    received = sum(stream.received for stream in checker.streams())
    print(json.dumps({"received": received, "seconds": time.monotonic() - begin, "sleeps": _sleeps()}))


def _sleeps() -> int:
    """Voluntary context switches of the loop's thread (getrusage(2))."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _run(loop: Callable[[], None], stop: Stop, seconds: float) -> None:
    timer = threading.Timer(seconds, lambda: stop.request("time is over"))
    timer.start()
    loop()
    timer.cancel()


def _scrape(port: int, stop: Stop) -> None:
    """Ask for the page once a second, as Prometheus does."""
    import urllib.request

    pause = threading.Event()
    while not stop.requested:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            response.read()
        pause.wait(1)


if __name__ == "__main__":
    main()
