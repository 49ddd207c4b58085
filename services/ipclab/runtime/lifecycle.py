"""The life of a container's process: its status, how it stops, and the holder of the IPC namespace.

An IPC namespace ends with its last process. A consumer that owned the namespace would take it away from its producer at
every restart. The holder therefore owns the namespace, has no other job, needs no restart, and shows the inode.
"""

from __future__ import annotations

import logging
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ipclab.contract.channel import Switch, Wait
from ipclab.linux import namespaces, scheduling
from ipclab.linux.namespaces import inodes
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.metrics.page_reader import labels_in, read_page

TICK_NS = 250_000_000
TICK_S = TICK_NS / 1e9
# The restart policy restarts the container, which then joins the current namespace of its holder.
EXIT_SPLIT = 75  # EX_TEMPFAIL, sysexits(3)

log = logging.getLogger("ipclab")


class Stop:
    """The request to stop, and the exit code. Loops check it at least once a tick."""

    def __init__(self) -> None:
        self.requested = False
        self.signalled = False
        self.begin_anew = False  # start again afterwards, with an empty channel: see ipclab.runtime.reset
        self.exit_code = 0

    def on_signals(self) -> None:
        """Stop on SIGTERM and SIGINT, after the current message."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def request(self, reason: str, exit_code: int = 0) -> None:
        """Ask the loop to stop; the first reason counts."""
        if not self.requested:
            self.exit_code = exit_code
            self.requested = True
            log.info("stopping: %s", reason)

    def _signalled(self, number: int, _frame: object) -> None:
        self.signalled = True
        self.request(signal.Signals(number).name)


class EndpointStatus:
    """The status of an endpoint: its channel, its costs, its namespaces, and that it is alive.

    `alive` is a file that is touched once a tick while the channel is open; the container's health check reads its age.
    `wait` is how the endpoint waits, `switches` are its switches. `each_tick` is called once a tick.
    """

    def __init__(
        self,
        alive: Path,
        wait: Wait = Wait.BLOCK,
        switches: Mapping[Switch, bool] | None = None,
        each_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._wait = wait
        self._switches = switches or {}
        self._each_tick = each_tick
        self._channel_open = False
        self._opens = 0
        self._usage = self._first_usage = resource.getrusage(resource.RUSAGE_THREAD)
        self._schedule = self._first_schedule = scheduling.of_this_thread()
        self._next_ns = 0
        self._namespaces = (namespaces.container(), *namespaces.inodes().values())

    def opened(self, waits_by: Wait | None = None) -> None:
        """The endpoint has its channel; `waits_by` where that is not what was asked for."""
        self._wait = waits_by or self._wait
        self._channel_open = True
        self._opens += 1
        self._next_ns = 0

    def closed(self) -> None:
        """The endpoint has lost its channel."""
        self._channel_open = False
        self._next_ns = 0

    def tick(self, now_ns: int) -> bool:
        """Update the status once a tick; True if it did. Call it in the thread that communicates, which is measured."""
        if now_ns < self._next_ns:
            return False
        self._next_ns = now_ns + TICK_NS
        self._usage = resource.getrusage(resource.RUSAGE_THREAD)
        self._schedule = scheduling.of_this_thread()
        with suppress(OSError):  # a full disk must not stop the traffic; the health check shows it
            if self._channel_open:
                self._alive.touch()
            else:
                self._alive.unlink(missing_ok=True)
        self._each_tick()
        return True

    @property
    def next_ns(self) -> int:
        """The time of the next tick, CLOCK_MONOTONIC in ns."""
        return self._next_ns

    def samples(self) -> Iterable[Sample]:
        """The metrics that both roles have."""
        usage, first = self._usage, self._first_usage  # execve(2) keeps the kernel's counts: see ipclab.runtime.reset
        yield Sample(metrics.CHANNEL_OPEN, self._channel_open)
        yield Sample(metrics.CHANNEL_OPENS, self._opens)
        yield Sample(metrics.WAIT_INFO, 1, (str(self._wait),))
        yield Sample(metrics.CPUS_INFO, 1, (namespaces.allowed(),))
        for switch, on in self._switches.items():
            yield Sample(metrics.SWITCH_ON, on, (switch.metric_label,))
        yield Sample(metrics.CONTEXT_SWITCHES, usage.ru_nvcsw - first.ru_nvcsw, ("voluntary",))
        yield Sample(metrics.CONTEXT_SWITCHES, usage.ru_nivcsw - first.ru_nivcsw, ("involuntary",))
        if (schedule := self._schedule) and (began := self._first_schedule):
            yield Sample(metrics.RUN_DELAY, (schedule.delay_ns - began.delay_ns) / 1e9)
            yield Sample(metrics.RUNS, schedule.runs - began.runs)
        yield Sample(metrics.CPU_SECONDS, usage.ru_utime - first.ru_utime, ("user",))
        yield Sample(metrics.CPU_SECONDS, usage.ru_stime - first.ru_stime, ("system",))
        yield from self.namespace_samples()

    def namespace_samples(self) -> Iterable[Sample]:
        """The namespaces of this container: all that the holder exports."""
        yield Sample(metrics.NAMESPACE_INFO, 1, self._namespaces)


class LogOnce:
    """A warning that comes up several times a second is logged once, until another one comes or `reset`."""

    def __init__(self) -> None:
        self._last = ""

    def warning(self, text: str) -> None:
        """Log `text`, unless it is the last warning."""
        if text != self._last:
            self._last = text
            log.warning("%s", text)

    def reset(self) -> None:
        """The cause is over: the same warning is logged again."""
        self._last = ""


def wake_on_time() -> None:
    """Make sleeps end when they should: by default the kernel adds up to 50 µs (PR_SET_TIMERSLACK, prctl(2))."""
    with suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1")


_WATCH_EVERY_S = 2.0


def watch_holder(host: str, on_split: Callable[[str], None], port: int = metrics.PORT) -> None:
    """In the background: call `on_split(reason)` once the holder is in another IPC namespace than this process.

    The cause is a holder that crashed and was restarted: its members stay in the old namespace, where no later member
    can reach them. A holder that does not answer proves nothing.
    """

    def watch() -> None:
        own = inodes()["ipc"]
        while True:
            inode = _ipc_inode_at(host, port)
            if inode is not None and inode != own:
                on_split(f"the holder is in IPC namespace {inode}, this container in {own}")
                return
            pause.wait(_WATCH_EVERY_S)

    pause = threading.Event()
    threading.Thread(target=watch, name="watch-holder", daemon=True).start()


def _ipc_inode_at(host: str, port: int) -> str | None:
    try:
        page = read_page(host, port, _WATCH_EVERY_S)
        return next((labels["ipc"] for labels in labels_in(page, metrics.NAMESPACE_INFO.name)), None)
    except (OSError, ValueError, KeyError):  # no answer; half of one; one that is no metrics page
        return None


def hold(status: EndpointStatus, stop: Stop) -> None:
    """Hold the namespace until told to stop."""
    status.opened()
    while not stop.requested:
        status.tick(time.monotonic_ns())
        time.sleep(TICK_S)
