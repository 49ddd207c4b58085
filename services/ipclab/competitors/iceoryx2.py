"""iceoryx2 by its Python binding: publish and subscribe of byte slices in shared memory, loaned and borrowed.

Source: https://github.com/eclipse-iceoryx/iceoryx2, `examples/python`. The publisher loans a sample of its memory and
sends it, the subscriber borrows it: no copy. `block`: an event for each sample wakes the subscriber, as in its example
`event_based_communication`; `spin`: the subscriber looks until there is a sample. A publisher that finds the
subscriber's queue full tries again until there is room, whatever the wait. All its files are in /dev/shm.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

from ipclab.bench import endpoint
from ipclab.bench.endpoint import Ends
from ipclab.bench.request import Request, Side
from ipclab.competitors._rows import absent, depth_of, optional, row
from ipclab.contract.channel import Address, Wait
from ipclab.contract.errors import EMPTY, ReceiveTimeout, Unusable

iox2 = optional("iceoryx2")
_ROOT = "/dev/shm/iceoryx2-bench"
_LOOKS_PER_CLOCK = 64


def main(argv: Sequence[str]) -> int:
    """See `ipclab.bench.endpoint.main`."""
    return endpoint.main(argv, describe, open_ends)


def describe() -> dict[str, Any]:
    """See `ipclab.bench.endpoint`."""
    if iox2 is None:
        return absent("iceoryx2")
    more = {"copies": ["no"], "waits": ["block", "spin"]}
    return {"rows": [row("iceoryx2", "iceoryx2", ["/dev/shm"], f"iceoryx2 {version('iceoryx2')}", **more)]}


def open_ends(request: Request, stack: ExitStack) -> Ends:
    """A service in each direction. The receiver's side is there before anything is published."""
    iox2.set_log_level(iox2.LogLevel.Error)
    config = iox2.config.default()
    config.global_cfg.root_path = iox2.Path.new(_ROOT)
    quiet = iox2.SignalHandlingMode.Disabled
    try:
        node = iox2.NodeBuilder.new().config(config).signal_handling_mode(quiet).create(iox2.ServiceType.Ipc)
    except iox2.NodeCreationFailure as error:
        raise Unusable(f"iceoryx2: no node: {error}", code=errno.EACCES) from error
    del stack  # the process ends, and what its objects hold goes with them

    def receives(address: Address) -> Any:  # it has no copying half
        return _Receives(node, request, address)

    def sends(address: Address) -> Any:
        return _Sends(node, request, address)

    if request.role is Side.PRODUCER:
        replies = receives(request.back)
        return Ends(sends(request.address), lambda: replies)
    return Ends(receives(request.address), lambda: sends(request.back))


def _services(node: Any, request: Request, address: Address) -> tuple[Any, Any]:
    """The samples, and the events that tell of them; made by whoever comes first."""
    name = iox2.ServiceName.new(f"bench-{address.key:x}")
    samples = (
        node.service_builder(name)
        .publish_subscribe(iox2.Slice[ctypes.c_uint8])
        .max_publishers(1)
        .max_subscribers(1)
        .subscriber_max_buffer_size(depth_of(request.size))
        .subscriber_max_borrowed_samples(1)
        .enable_safe_overflow(False)
        .open_or_create()
    )
    return samples, node.service_builder(name).event().open_or_create()


class _Sends:
    def __init__(self, node: Any, request: Request, address: Address) -> None:
        samples, events = self._services = _services(node, request, address)
        publisher = samples.publisher_builder().initial_max_slice_len(request.size).max_loaned_samples(1).create()
        self._loan = publisher.loan_slice_uninit
        self._notify = events.notifier_builder().create().notify if request.wait is Wait.BLOCK else None

    def loan(self, size: int, timeout_s: float, /) -> memoryview:
        del timeout_s
        self._sample = self._loan(size)
        view: memoryview = self._sample.payload().as_memory_view()
        return view.cast("B")

    def commit(self) -> None:
        self._sample.assume_init().send()
        if self._notify:
            self._notify()


class _Receives:
    def __init__(self, node: Any, request: Request, address: Address) -> None:
        samples, events = self._services = _services(node, request, address)
        self._receive = samples.subscriber_builder().create().receive
        self._wait = None
        if request.wait is Wait.BLOCK:
            self._wait = events.listener_builder().create().timed_wait
            self._silence = iox2.Duration.from_millis(round(request.silence_s * 1000))

    def borrow(self, timeout_s: float, /) -> memoryview:
        sample = self._receive()
        if sample is None:
            sample = self._woken(timeout_s) if self._wait else self._spun(timeout_s)
        self._sample = sample
        view: memoryview = sample.payload().as_memory_view()
        return view.cast("B")

    def release(self) -> None:
        self._sample.delete()

    def _woken(self, timeout_s: float) -> Any:
        """A wait may end with events older than the sample that was just taken, and early with none: wait again."""
        assert self._wait
        deadline, silence = time.monotonic() + timeout_s, self._silence
        while True:
            self._wait(silence)
            sample = self._receive()
            if sample is not None:
                return sample
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ReceiveTimeout("no sample", code=EMPTY)
            silence = iox2.Duration.from_millis(math.ceil(left_s * 1000))

    def _spun(self, timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for _ in range(_LOOKS_PER_CLOCK):
                sample = self._receive()
                if sample is not None:
                    return sample
            os.sched_yield()
        raise ReceiveTimeout("no sample", code=EMPTY)
