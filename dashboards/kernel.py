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
        new_dashboard("kernel", "What exists in the kernel now, and what stays when all processes have gone.")
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
        "Which shared memory is there?",
        "Every System V segment (by key) and POSIX object (by name) of the shared IPC namespace. Attached: how many "
        "processes have a segment mapped; 0 means that it outlived them all, and takes memory until somebody removes "
        "it. Of POSIX objects the kernel does not say. In brackets: no pair's; the responder and the probes have some. "
        "Removed: nobody finds such a segment any more, and it is gone once the last process detaches it.",
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
        "Which message queues are there?",
        "Every System V queue (by key) and POSIX queue (by name). A System V queue is full at a number of bytes "
        "(msgmnb), a POSIX queue at a number of messages (mq_maxmsg). Held: messages that wait, and outlive processes.",
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
        "Which semaphores are there?",
        "Every System V set (by key) and named POSIX semaphore (by name), with its value: 0 is taken, or nothing to "
        "fetch. A POSIX semaphore that its holder died with stays taken for ever; a System V one may be given back "
        "(SEM_UNDO). In set: how many semaphores a System V set has.",
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
        "What waits, as a share of what fits: a queue's bytes (System V, msgmnb) or messages (POSIX), a pipe's 64 KiB, "
        "a socket's buffer, all of /dev/shm. At 100 % the producer must wait, or messages are dropped (udp). Pause a "
        "consumer and watch its line rise: the queues are asked by the kernel exporter, pipes and sockets then by the "
        "producer. Of tcp it knows only its own side's buffer. Of udp nobody else can ask: no line while it is paused.",
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
        "Solid: bytes in queues, pipes and socket buffers that nobody has received yet. Dashed: where each is full, if "
        "that is a number of bytes: 16 KiB of a System V queue, 64 KiB of a pipe. While a consumer is paused, its pipe "
        "or socket is asked by the producer: of tcp only what its own side still holds, of udp nothing, so no line.",
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
            "Who is attached to shared memory?",
            "Attachments of each System V segment (nattch). Two processes of a pair are 2. Kill one and it falls to 1; "
            "stop both and it is 0, but the segment and its content stay: the kernel keeps them.",
            "none",
            _GRAPH,
            {"{{of}} {{object}}": _of_objects("ipc_kernel_shm_attachments")},
        )
    )
    return _objects_apart(panel, mechanisms).axis_soft_max(3)


def _semaphore_values(mechanisms: list[str]) -> timeseries.Panel:
    panel = in_steps(
        graph(
            "What do the semaphores say?",
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
        "How much of /dev/shm is taken?",
        "POSIX shared memory is files of this file system. Its limit is the holder's shm_size; System V segments do "
        "not count. Who maps more than there is gets SIGBUS when he writes; the lab asks for room first (ENOSPC).",
        "bytes",
        _GRAPH,
        {"taken": "max(ipc_kernel_dev_shm_used_bytes)", "limit": "max(ipc_kernel_dev_shm_limit_bytes)"},
    ).override_by_name("limit", [dashed()])


def _dropped(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What did the kernel drop?",
        "Arrivals a second for which the receiver's socket had no room: the kernel's own count (SO_MEMINFO), of "
        "sockets that may drop. Each drop is a lost message in the consumer's ledger. On a healthy lab: 0.",
        "suffix: /s",
        _GRAPH,
        {"{{mechanism}}": rate("ipc_kernel_drops_total")},
    )
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(1)


def _limits() -> table.Panel:
    return one_row_each(
        {"limit": "Limit"},
        "How much does this kernel allow?",
        "The kernel's limits by their names in proc(5), in the unit they have there: bytes and counts; shmall is in "
        "pages. shm… is System V shared memory, msg… its queues, sem… its semaphores, mqueue_… POSIX queues.",
        _TABLE,
        [Column("Value", "max by (limit) (ipc_kernel_limit)", 200)],
    )
