"""The metrics of the lab. No other module defines one; `ipclab.metrics.exposition` exports them.

Names and units follow the Prometheus conventions: seconds, bytes, `_total` for counters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ipclab.metrics import histogram
from ipclab.metrics.histogram import Histogram

PORT = 9464
BENCH_PORT = 9465  # of the figures of the last bench, which change seldom and are scraped seldom


class Type(StrEnum):
    """The type of a metric in Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Role(StrEnum):
    """The role of the container that exports a metric."""

    PRODUCER = "producer"
    CONSUMER = "consumer"
    HOLDER = "holder"
    KERNEL = "kernel"
    RESPONDER = "responder"
    PROBE = "probe"
    BENCH = "bench"
    FAULT = "fault"


_ENDPOINTS = frozenset({Role.PRODUCER, Role.CONSUMER})
_ENDPOINT_LABELS = ("mechanism", "role")
# A System V object has a key and an id, a POSIX object a name; the other labels are empty. The owner is the mechanism,
# the responder or a probe; the owner of an object that is not the lab's is empty.
_OBJECT_LABELS = ("key", "id", "name", "uid", "owner")


@dataclass(frozen=True)
class Buckets:
    """The buckets of a histogram that Prometheus gets, of those of `Histogram`.

    Bounds outside `first_ns` to `last_ns` are left out, and of those within all but every so manieth (1, 2, 4, so that
    powers of two stay).
    """

    first_ns: int
    last_ns: int
    every: int

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The first index of `Histogram.counts` beyond each bucket."""
        return tuple(
            index + 1
            for index in range(histogram.SIZE)
            if self.first_ns <= histogram.upper_bound_ns(index) <= self.last_ns and (index + 1) % self.every == 0
        )

    @cached_property
    def bounds_seconds(self) -> tuple[float, ...]:
        """The upper bound of each bucket; the last, at infinity, is left out."""
        return tuple(histogram.upper_bound_ns(end - 1) / 1e9 for end in self.ends)


# 1 µs to 17 s, four to a power of two: outside of it the resolution is not worth the series.
_LATENCY_BUCKETS = Buckets(1 << 10, 1 << 34, 1)
_PART_BUCKETS = Buckets(1 << 10, 1 << 22, 2)  # to 4 ms, two to a power of two: a median of what is mostly short


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its name without the suffix that Prometheus adds, its type, help, labels and exporters."""

    name: str
    type: Type
    help: str
    roles: frozenset[Role]
    labels: tuple[str, ...] = _ENDPOINT_LABELS
    buckets: Buckets = _LATENCY_BUCKETS  # of a histogram

    @property
    def series(self) -> tuple[str, ...]:
        """The names that Prometheus stores."""
        match self.type:
            case Type.COUNTER:
                return (f"{self.name}_total",)
            case Type.HISTOGRAM:
                return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
            case Type.GAUGE:
                return (self.name,)


@dataclass(frozen=True, slots=True)
class Sample:
    """The current value of a metric; `labels` are the values of the labels after mechanism and role.

    `mechanism` is for a page of several mechanisms; None is the page's own.
    """

    definition: Definition
    value: float | Histogram
    labels: tuple[str, ...] = ()
    mechanism: str | None = None


def _producer(name: str, help_: str, *labels: str, type_: Type = Type.COUNTER) -> Definition:
    return Definition(name, type_, help_, frozenset({Role.PRODUCER}), (*_ENDPOINT_LABELS, *labels))


def _consumer(name: str, help_: str, *labels: str, type_: Type = Type.COUNTER) -> Definition:
    return Definition(name, type_, help_, frozenset({Role.CONSUMER}), (*_ENDPOINT_LABELS, *labels))


def _kernel(name: str, help_: str, *labels: str) -> Definition:
    return Definition(name, Type.GAUGE, help_, frozenset({Role.KERNEL}), (*_ENDPOINT_LABELS, *labels))


def _probe(name: str, help_: str, *labels: str) -> Definition:
    """A metric named as in the Prometheus blackbox exporter. The responder probes itself."""
    roles = frozenset({Role.RESPONDER, Role.PROBE})
    return Definition(name, Type.GAUGE, help_, roles, (*_ENDPOINT_LABELS, "placement", *labels))


SENT = _producer("ipc_messages_sent", "Messages that the channel took, across restarts of this producer.")
SKIPPED = _producer(
    "ipc_messages_skipped",
    "Messages that were due and never sent, because there was no peer or the channel was full for too long.",
)
SEND_ERRORS = _producer("ipc_send_errors", "Failed attempts to open the channel or to send, by errno.", "errno")
LOAD_RATE = _producer("ipc_load_rate", "Messages per second that the schedule asks for.", type_=Type.GAUGE)
LOAD_BURST = _producer("ipc_load_burst", "Messages that the schedule makes due together.", type_=Type.GAUGE)
MESSAGE_SIZE = _producer("ipc_message_size_bytes", "Bytes of each message sent, header included.", type_=Type.GAUGE)
RECEIVED = _consumer("ipc_messages_received", "Messages received once, across restarts of this consumer.")
RECEIVED_BYTES = _consumer("ipc_bytes_received", "Bytes of all messages received, headers included.")
LOST = _consumer("ipc_messages_lost", "Sequence numbers that never arrived, by the reason of the loss.", "reason")
DUPLICATE = _consumer("ipc_messages_duplicate", "Messages that arrived a second time.")
REORDERED = _consumer("ipc_messages_reordered", "Messages that arrived after a later one.")
CORRUPT = _consumer(
    "ipc_messages_corrupt", "Arrivals that differ from any message that was sent: cut, mixed or altered."
)
RECEIVED_BY_CLASS = _consumer(
    "ipc_messages_received_by_class",
    "Messages received of each type or priority since the consumer started, where there are several.",
    "kind",
    "number",
)
SHARED = _consumer(
    "ipc_channel_shared",
    "1 while several consumers share the channel. A single consumer then cannot count the lost messages.",
    type_=Type.GAUGE,
)
LATENCY = _consumer(
    "ipc_one_way_latency_seconds",
    "Time from the due time of a message to its reception (CLOCK_MONOTONIC, one host).",
    type_=Type.HISTOGRAM,
)
# Of one message in so many, on both sides the same ones; a prime, so that no number of types or priorities divides it.
PART_OF = 11
MESSAGE_PART = Definition(
    "ipc_message_part_seconds",
    Type.HISTOGRAM,
    f"Parts of one message in {PART_OF}: late (before send), send, transit (send begun to received), check (after it).",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "part"),
    _PART_BUCKETS,
)
KERNEL_DROPS = _consumer(
    "ipc_kernel_drops", "Messages that the kernel dropped for lack of room (SO_MEMINFO), since the consumer started."
)
KERNEL_BUFFER = Definition(
    "ipc_kernel_buffer_bytes",
    Type.GAUGE,
    "Bytes in the kernel's pipe or socket buffer, as the kernel reports to this side (FIONREAD, SO_MEMINFO, SIOCOUTQ).",
    _ENDPOINTS,
)
KERNEL_BUFFER_LIMIT = Definition(
    "ipc_kernel_buffer_limit_bytes",
    Type.GAUGE,
    "Capacity of the pipe, or limit of the socket buffer, in bytes.",
    _ENDPOINTS,
)
CHANNEL_OPEN = Definition("ipc_channel_open", Type.GAUGE, "1 while this endpoint has its channel open.", _ENDPOINTS)
CHANNEL_OPENS = Definition(
    "ipc_channel_opens",
    Type.COUNTER,
    "Number of times that the endpoint opened its channel since its start.",
    _ENDPOINTS,
)
WAIT_INFO = Definition(
    "ipc_wait_info",
    Type.GAUGE,
    "Always 1. The label says how the endpoint waits: block, poll or spin.",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "wait"),
)
CPUS_INFO = Definition(
    "ipc_cpus_info",
    Type.GAUGE,
    "Always 1. The label is the number of CPUs that the endpoint may use: one, two or a number.",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "cpus"),
)
SWITCH_ON = Definition(
    "ipc_switch_on",
    Type.GAUGE,
    "1 while the switch is on: sync (the race lock), lock (the append lock) or fsync.",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "switch"),
)
# Of the rounds of the race that could be judged, by whether the lock was taken: see `ipclab.pair.race`.
UPDATES = _consumer(
    "ipc_shared_updates", "Updates of a shared counter by both sides since the consumer started.", "sync"
)
LOST_UPDATES = _consumer("ipc_shared_updates_lost", "Updates that the shared counter does not contain.", "sync")
RECORDS_READ = _consumer("ipc_shared_records_read", "Shared records read since the consumer started.", "sync")
TORN_READS = _consumer("ipc_shared_records_torn", "Records read that mix two writes.", "sync")
CONTEXT_SWITCHES = Definition(
    "ipc_context_switches",
    Type.COUNTER,
    "Context switches of the thread that communicates, by kind.",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "kind"),
)
CPU_SECONDS = Definition(
    "ipc_cpu_seconds",
    Type.COUNTER,
    "CPU time of the thread that communicates, by mode.",
    _ENDPOINTS,
    (*_ENDPOINT_LABELS, "mode"),
)
FIXED_CPU = Definition(
    "ipc_fixed_cpu_seconds",
    Type.COUNTER,
    "CPU time of a container beside messages: page, other threads, other processes (health check), idle loop.",
    frozenset(Role) - {Role.BENCH},
    (*_ENDPOINT_LABELS, "part"),
)
RUN_DELAY = Definition(
    "ipc_run_delay_seconds",
    Type.COUNTER,
    "Time that the thread that communicates was runnable and waited for a CPU (/proc/thread-self/schedstat).",
    _ENDPOINTS,
)
RUNS = Definition(
    "ipc_runs",
    Type.COUNTER,
    "Number of times that the thread that communicates got a CPU.",
    _ENDPOINTS,
)
CONTAINER_MEMORY = Definition(
    "ipc_container_memory_bytes",
    Type.GAUGE,
    "Memory of the container, as docker stats counts it: without file pages that the kernel can drop at once.",
    frozenset(Role) - {Role.BENCH},
)
CONTAINER_MEMORY_LIMIT = Definition(
    "ipc_container_memory_limit_bytes",
    Type.GAUGE,
    "Memory at which the kernel ends a process of the container (mem_limit).",
    frozenset(Role) - {Role.BENCH},
)
OPEN_DESCRIPTORS = Definition(
    "ipc_open_descriptors",
    Type.GAUGE,
    "Descriptors that the process of the role has open (/proc/self/fd). One that rises for ever is a leak.",
    frozenset(Role) - {Role.BENCH},
)
STARTED_AT = Definition(
    "ipc_process_start_time_seconds",
    Type.GAUGE,
    "Time at which the process of the role began, since 1970. A change is a restart.",
    frozenset(Role) - {Role.BENCH},
)
PLACEMENT_INFO = Definition(
    "ipc_placement_info",
    Type.GAUGE,
    "Always 1. The label is the placement to which ./lab place moved this consumer.",
    frozenset({Role.CONSUMER}),
    (*_ENDPOINT_LABELS, "placement"),
)
NAMESPACE_INFO = Definition(
    "ipc_namespace_info",
    Type.GAUGE,
    "Always 1. The labels are the inodes of the container's namespaces. Equal inodes are a shared namespace.",
    frozenset(Role) - {Role.BENCH},
    (*_ENDPOINT_LABELS, "container", "ipc", "mnt", "net", "pid"),
)
# The kernel objects of the shared IPC namespace; the mechanism is empty for an object that belongs to no pair.
KERNEL_SHM_SIZE = _kernel(
    "ipc_kernel_shm_size_bytes", "Size of a shared memory segment or object, mapped or not.", *_OBJECT_LABELS
)
KERNEL_SHM_ATTACHMENTS = _kernel(
    "ipc_kernel_shm_attachments",
    "Attachments of a System V segment (nattch). 0 is a segment that outlived its processes.",
    *_OBJECT_LABELS,
)
KERNEL_QUEUE_MESSAGES = _kernel("ipc_kernel_queue_messages", "Messages in a message queue.", *_OBJECT_LABELS)
KERNEL_QUEUE_BYTES = _kernel(
    "ipc_kernel_queue_bytes", "Bytes of the messages in a message queue (cbytes, QSIZE).", *_OBJECT_LABELS
)
KERNEL_QUEUE_LIMIT_BYTES = _kernel(
    "ipc_kernel_queue_limit_bytes", "Bytes at which a System V queue is full (msg_qbytes).", *_OBJECT_LABELS
)
KERNEL_QUEUE_LIMIT_MESSAGES = _kernel(
    "ipc_kernel_queue_limit_messages", "Messages at which a POSIX queue is full (mq_maxmsg).", *_OBJECT_LABELS
)
KERNEL_SEMAPHORES = _kernel("ipc_kernel_semaphores", "Semaphores in a System V set (nsems).", *_OBJECT_LABELS)
KERNEL_SEMAPHORE_VALUE = _kernel(
    "ipc_kernel_semaphore_value", "Value of a semaphore: named, or alone in its System V set.", *_OBJECT_LABELS
)
KERNEL_DEV_SHM_USED = _kernel("ipc_kernel_dev_shm_used_bytes", "Bytes used in /dev/shm by POSIX shared memory.")
KERNEL_DEV_SHM_LIMIT = _kernel("ipc_kernel_dev_shm_limit_bytes", "Bytes that /dev/shm can hold (shm_size).")
KERNEL_LIMIT = _kernel("ipc_kernel_limit", "A limit of the kernel, by its name and in its unit of proc(5).", "limit")

PROBE_SUCCESS = _probe("probe_success", "1 if the responder answered the last try from this placement, else 0.")
PROBE_DURATION = _probe("probe_duration_seconds", "Duration of the last try, with opening and closing.")
PROBE_ROUND_TRIP = _probe(
    "probe_round_trip_seconds",
    "Time from question to answer, 64 bytes each way, both sides on one CPU: the median of the last tries' medians.",
)
PROBE_ROUND_TRIP_BOUND = _probe(
    "probe_round_trip_bound_seconds", "The lowest and the highest of these tries' medians.", "bound"
)
PROBE_TRIES = _probe("probe_round_trip_tries", "Number of consecutive tries behind the round trip, up to 15.")
PROBE_ERROR = _probe(
    "probe_error_info",
    "Always 1. Labels: the last failure, as errno, name of getaddrinfo(3) or words; the call that failed, once traced.",
    "error",
    "call",
)
LISTEN_INFO = Definition(
    "ipc_listen_info",
    Type.GAUGE,
    "Always 1. The label is the address on which the responder listens.",
    frozenset({Role.RESPONDER}),
    (*_ENDPOINT_LABELS, "address"),
)

FAULT_ACTIVE = Definition(
    "ipc_fault_active",
    Type.GAUGE,
    "1 while a fault of ./lab fault is on; the mechanism is empty for a fault of the whole lab.",
    frozenset({Role.FAULT}),
    (*_ENDPOINT_LABELS, "fault"),
)

_CELL_LABELS = ("implementation", "size", "shape", "wait", "cpus", "copies", "touched")


def _bench(name: str, help_: str, *labels: str) -> Definition:
    return Definition(name, Type.GAUGE, help_, frozenset({Role.BENCH}), (*_ENDPOINT_LABELS, *_CELL_LABELS, *labels))


BENCH_MESSAGE = _bench("ipc_bench_message_seconds", "Time per message, or of a round trip: the median of the runs.")
BENCH_PERCENTILE = _bench(
    "ipc_bench_message_percentile_seconds", "Percentiles of this time, of all samples.", "percentile"
)
BENCH_MESSAGES = _bench("ipc_bench_messages_per_second", "Messages, or round trips, per second.")
BENCH_BYTES = _bench("ipc_bench_bytes_per_second", "Bytes per second in one direction; none of round trips.")
BENCH_CPU = _bench("ipc_bench_cpu_seconds", "CPU time of both sides per message.")
BENCH_SWITCHES = _bench("ipc_bench_context_switches", "Context switches of both sides per message.", "kind")
BENCH_NOISY = _bench("ipc_bench_noisy", "1 if the runs differ by over 30 % of their median, else 0.")
_FAULT_LABELS = (*_ENDPOINT_LABELS, "fault")


def _last_fault(name: str, help_: str, *labels: str) -> Definition:
    return Definition(name, Type.GAUGE, help_, frozenset({Role.BENCH}), (*_FAULT_LABELS, *labels))


FAULT_BACK = _last_fault("ipc_fault_back_seconds", "Time from the end of a fault to messages (last matrix).")
FAULT_LOST = _last_fault("ipc_fault_lost_messages", "Messages that a fault lost, in the last fault matrix.")
FAULT_DIFFERS = _last_fault("ipc_fault_differs", "1 if the outcome of a fault differs from its prediction, else 0.")
BENCH_AT = Definition(
    "ipc_bench_timestamp_seconds", Type.GAUGE, "Time of the last bench, since 1970.", frozenset({Role.BENCH})
)


def _exercise(name: str, help_: str, *labels: str) -> Definition:
    return Definition(name, Type.GAUGE, help_, frozenset({Role.BENCH}), (*_ENDPOINT_LABELS, "exercise", *labels))


EXERCISE_INFO = _exercise(
    "ipc_exercise_info",
    "Always 1, of an exercise that was begun. The labels are its state and what the last check said, and its language.",
    "state",
    "outcome",
    "saw",
    "waits",
    "language",
)
EXERCISE_CHECKS = _exercise("ipc_exercise_checks", "Checks that were made of an exercise.")
EXERCISE_HINTS = _exercise("ipc_exercise_hints", "Hints that were shown of an exercise.")
EXERCISE_SOLUTION = _exercise("ipc_exercise_solution_shown", "1 if the solution of an exercise was shown, else 0.")
EXERCISE_STARTED = _exercise("ipc_exercise_start_timestamp_seconds", "Time of the start of an exercise, since 1970.")
EXERCISE_CHECKED = _exercise("ipc_exercise_check_timestamp_seconds", "Time of the last check, since 1970.")

# In the order in which they stand above.
DEFINITIONS = tuple(value for value in globals().values() if isinstance(value, Definition))
