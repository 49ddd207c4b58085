"""What the kernel holds: segments, queues, semaphores and buffers, and how much there can be."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import lines
from dashboards.document import new_dashboard
from dashboards.lines import colour, counterpart, dashed, in_mechanism_colours, in_steps
from dashboards.panels import Place, graph
from dashboards.promql import rate
from dashboards.tables import Column, one_row_each
from labctl.config import compose_file
from labctl.terminal import colours

# Half of the screen, so that no name of an object is cut.
_TABLE = _GRAPH = Place(12, 9)
_OBJECT = {"of": "Of", "object": "Key or name"}
_ASKED = "consumer", "producer"
_MINE = '{mechanism!=""}'  # the responder has objects of its own, which are no pair's


def dashboard() -> Dashboard:
    """Two tables and, below, one more and a graph fill the first screen."""
    mechanisms = compose_file.declared()
    return (
        new_dashboard("kernel", "The objects that the kernel holds now, and those that outlive their processes.")
        .with_panel(_segments())
        .with_panel(_queues())
        .with_panel(_semaphores())
        .with_panel(_fill(mechanisms))
        .with_panel(_waiting(mechanisms))
        .with_panel(_attached(mechanisms))
        .with_panel(_semaphore_values(mechanisms))
        .with_panel(_dev_shm())
        .with_panel(_limits())
        .with_panel(_dropped(mechanisms))
    )


def _of_objects(series: str) -> str:
    """By whose it is, and by the key of a System V object or the name of a POSIX object: it has one of them.

    The mechanism of a pair, or in brackets who else: sorted backwards, those come last.
    """
    named = f'label_join({series}, "object", "", "key", "name")'
    others = f'label_replace({named}, "of", "($1)", "owner", "(.+)")'
    whose = f'label_replace({others}, "of", "$1", "mechanism", "(.+)")'
    return f'max by (of, object) (label_replace({whose}, "of", "(nobody)", "of", ""))'


def _of_buffers(operation: str, expression: str) -> str:
    """Of pipes and sockets: as the consumer says, or as the producer does where the consumer does not answer."""
    sides = (expression.replace("{}", f'{{role="{role}"}}') for role in _ASKED)
    return " or ".join(f"{operation} by (mechanism) ({side})" for side in sides)


def _segments() -> table.Panel:
    return one_row_each(
        _OBJECT,
        "Which shared memory exists?",
        "Every System V segment (by key) and POSIX object (by name) of the shared IPC namespace. Attached: the number "
        "of processes that have a System V segment mapped; at 0 the segment has outlived all of them and takes memory "
        "until it is removed. The kernel does not count attachments of POSIX objects. In brackets: objects of the "
        "responder and the probes, not of a pair. Removed: a segment without a key, which no other process can "
        "attach; it is freed when the last process detaches it.",
        _TABLE,
        [
            Column("Size", _of_objects("ipc_kernel_shm_size_bytes"), 65, "bytes", 0),
            Column("Attached", _of_objects("ipc_kernel_shm_attachments"), 77, decimals=0),
        ],
        {"Of": 92},
        last_first=True,
    )


def _queues() -> table.Panel:
    return one_row_each(
        _OBJECT,
        "Which message queues exist?",
        "Every System V queue (by key) and POSIX queue (by name). A System V queue is full at a number of bytes "
        "(msgmnb), a POSIX queue at a number of messages (mq_maxmsg). Held: messages that wait. They outlive the "
        "processes.",
        _TABLE,
        [
            Column("Held", _of_objects("ipc_kernel_queue_messages"), 50, decimals=0),
            Column("Bytes", _of_objects("ipc_kernel_queue_bytes"), 54, decimals=0),
            Column(
                "Full at",
                f"{_of_objects('ipc_kernel_queue_limit_bytes')} or {_of_objects('ipc_kernel_queue_limit_messages')}",
                62,
                decimals=0,
            ),
        ],
        {"Of": 92},
        last_first=True,
    )


def _semaphores() -> table.Panel:
    return one_row_each(
        _OBJECT,
        "Which semaphores exist?",
        "Every System V set (by key) and named POSIX semaphore (by name), with its value: 0 is taken, or nothing to "
        "fetch. A POSIX semaphore stays taken when its holder dies. The kernel gives a System V semaphore back if the "
        "holder used SEM_UNDO. In set: the number of semaphores in a System V set.",
        _TABLE,
        [
            Column("Value", _of_objects("ipc_kernel_semaphore_value"), 58, decimals=0),
            Column("In set", _of_objects("ipc_kernel_semaphores"), 60, decimals=0),
        ],
        {"Of": 92},
        last_first=True,
    )


def _fill(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "How full is each mailbox?",
        "Waiting data as a share of the capacity: a queue's bytes (System V, msgmnb) or messages (POSIX), a pipe's 64 "
        "KiB, a socket's buffer, all of /dev/shm. At 100 % the producer waits, or the kernel drops messages (udp). "
        "Pause a consumer and watch its line rise. The kernel exporter reads the queues; the consumer reads pipes and "
        "sockets, and the producer does so while the consumer is paused. A tcp producer sees its own side's buffer "
        "only. Only the consumer can read udp's socket, so a paused consumer has no line.",
        "percentunit",
        _GRAPH,
        {
            "{{mechanism}}": f"max by (mechanism) (ipc_kernel_queue_bytes{_MINE} / ipc_kernel_queue_limit_bytes)"
            f" or max by (mechanism) (ipc_kernel_queue_messages{_MINE} / ipc_kernel_queue_limit_messages)"
            f" or {_of_buffers('max', 'ipc_kernel_buffer_bytes{} / ipc_kernel_buffer_limit_bytes{}')}",
            "/dev/shm": "max(ipc_kernel_dev_shm_used_bytes / ipc_kernel_dev_shm_limit_bytes)",
        },
    )
    return in_mechanism_colours(panel, mechanisms).min(0).max(1)


def _waiting(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "How many bytes wait in the kernel?",
        "Solid: bytes in queues, pipes and socket buffers that wait for the consumer. Dashed: the capacity, where it "
        "is a number of bytes: 16 KiB of a System V queue, 64 KiB of a pipe. While a consumer is paused, the producer "
        "reads the pipe or socket: of tcp its own side's bytes only, of udp none, so udp has no line.",
        "bytes",
        _GRAPH,
        {
            "{{mechanism}}": f"sum by (mechanism) (ipc_kernel_queue_bytes{_MINE})"
            f" or {_of_buffers('sum', 'ipc_kernel_buffer_bytes{}')}",
            "{{mechanism}} limit": f"max by (mechanism) (ipc_kernel_queue_limit_bytes{_MINE})"
            f" or {_of_buffers('max', 'ipc_kernel_buffer_limit_bytes{}')}",
        },
    )
    return in_mechanism_colours(panel.override_by_regexp("/ limit$/", counterpart()), mechanisms)


def _attached(mechanisms: list[str]) -> timeseries.Panel:
    panel = in_steps(
        graph(
            "How many processes are attached?",
            "Attachments of each System V segment (nattch). A running pair has 2. Kill one side: 1. Stop both sides: "
            "0, and the segment stays with its content, because the kernel keeps it.",
            "none",
            _GRAPH,
            {"{{of}} {{object}}": _of_objects("ipc_kernel_shm_attachments")},
        )
    )
    return _objects_apart(panel, mechanisms).axis_soft_max(3)


def _semaphore_values(mechanisms: list[str]) -> timeseries.Panel:
    panel = in_steps(
        graph(
            "What are the values of the semaphores?",
            "The value of each semaphore of a pair at a scrape. A lock is 1 when free and 0 when taken; a notifier "
            "is 0 without a notification. A lock that stays at 0 while nothing moves is held by a process that "
            "does not release it.",
            "none",
            _GRAPH,
            {"{{of}} {{object}}": _of_objects(f"ipc_kernel_semaphore_value{_MINE}")},
        )
    )
    return _objects_apart(panel, mechanisms)


def _objects_apart(panel: timeseries.Panel, mechanisms: list[str]) -> timeseries.Panel:
    """In the colour of their pair, or grey; the stroke is by the key's last digit, or the name's last word."""
    panel.override_by_regexp(r"/^\(/", [colour(colours.NOBODYS)])
    lines.by_last_digit(panel).override_by_regexp(r"/\.room$/", list(lines.DASHED))
    return in_mechanism_colours(panel, mechanisms)


def _dev_shm() -> timeseries.Panel:
    return graph(
        "How much of /dev/shm is used?",
        "POSIX shared memory is files of this file system. The limit is the holder's shm_size; System V segments do "
        "not count. A process that maps more gets SIGBUS on write. The lab allocates the space first and gets ENOSPC "
        "instead.",
        "bytes",
        _GRAPH,
        {"taken": "max(ipc_kernel_dev_shm_used_bytes)", "limit": "max(ipc_kernel_dev_shm_limit_bytes)"},
    ).override_by_name("limit", [dashed()])


def _dropped(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What did the kernel drop?",
        "Datagrams per second for which the receiver's socket had no room: the kernel's own count (SO_MEMINFO). Each "
        "drop is a lost message in the consumer's ledger. On a healthy lab: 0.",
        "suffix: /s",
        _GRAPH,
        {"{{mechanism}}": rate("ipc_kernel_drops_total")},
    )
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(1)


def _limits() -> table.Panel:
    return one_row_each(
        {"limit": "Limit"},
        "Which limits does this kernel have?",
        "The kernel's limits by their names and units in proc(5): bytes and counts; shmall is in pages. shm… is "
        "System V shared memory, msg… its queues, sem… its semaphores, mqueue_… POSIX queues.",
        _TABLE,
        [Column("Value", "max by (limit) (ipc_kernel_limit)", 200)],
    )
