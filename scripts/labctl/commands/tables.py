"""The tables of `./lab status` and `./lab doctor`: containers, findings, kernel objects, accounts, races.

Every number has its unit. Kernel objects have a row each, with their fill; accounts a row per producer of a channel
with several containers on a side; races a row per pair and state of the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from ipclab.pair.race import BURST_NS, MAX_STEPS
from labctl.lab.containers import Container
from labctl.lab.costs import Cost
from labctl.measured.accounts import ChannelAccounts
from labctl.measured.kernel_objects import KernelObjects
from labctl.measured.races import Race
from labctl.terminal.printing import new_table, show_lines, show_table, show_text


def show_containers(containers: Sequence[Container], costs: Mapping[str, Cost]) -> None:
    """One row per container; with the one whose IPC namespace each is in, where that one is among them."""
    owners = ipc_owners(containers)
    table = _table(
        "container", *(["IPC of"] if owners else []), "state", "health", "memory", "CPU", left=4 - (not owners)
    )
    for container in containers:
        cost = costs.get(container.id, Cost(None, None))
        table.add_row(
            container.label,
            *([owners[container.id]] if owners else []),
            container.state_in_words(),
            container.health,
            "-" if cost.memory_bytes is None else f"{cost.memory_bytes / 2**20:.1f} MiB",
            "-" if cost.cpu_share is None else f"{cost.cpu_share:.1%} of a core",
        )
    show_table(table)


def ipc_owners(containers: Sequence[Container]) -> dict[str, str]:
    """By short id, whose IPC namespace a container is in, as it was started; empty if none is in that of another one.

    "own" is a namespace that no other container is in.
    """
    labels = {container.id: container.label for container in containers}
    joined = {container.joins_ipc_of for container in containers} & labels.keys()
    if not joined:
        return {}
    return {
        container.id: labels[container.id]
        if container.id in joined
        else labels.get(container.joins_ipc_of, container.joins_ipc_of)
        if container.joins_ipc_of
        else "own"
        for container in containers
    }


def _table(*columns: str, left: int = 1) -> Table:
    table = new_table()
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index < left else "right", no_wrap=True)
    return table


_KERNEL_NOTE = (
    "As of the last scrape. System V queues are limited by bytes, POSIX queues by messages. A socket's limit includes "
    "the kernel's overhead, so a socket is full below that number of bytes. Objects of the responder and the probes "
    "serve the matrix; of -: not an object of the lab."
)
_NO_KEY = "0x00000000"
_NO_KEY_IS = f"{_NO_KEY}: a segment without a key (IPC_PRIVATE); other processes cannot look it up."
_REMOVED_IS = "Removed: a segment without a key, freed when the last process detaches it (a probe's after each try)."

_Row = tuple[str, str, str, str, str]


def show_kernel_objects(held: KernelObjects) -> None:
    """Print it; nothing where nothing is held."""
    rows = list(_kernel_rows(held))
    if not rows:
        return
    table = new_table()
    for heading in ("the kernel holds", "of"):
        table.add_column(heading, no_wrap=True)
    for heading in ("bytes", "messages", "attached"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    show_table(table)
    without_key = any(segment.key == _NO_KEY for segment in held.segments)
    removed = any(segment.is_removed for segment in held.segments)
    show_text(" ".join([_KERNEL_NOTE, *([_NO_KEY_IS] if without_key else []), *([_REMOVED_IS] if removed else [])]))
    show_lines([""])


def _kernel_rows(held: KernelObjects) -> Iterator[_Row]:
    for segment in held.segments:
        attached = "-" if segment.attachments is None else str(segment.attachments)
        what = f"shared memory {segment.key or segment.name}"
        yield what, segment.owner or "-", f"{segment.size_bytes:,}", "-", attached
    for queue in held.queues:
        depth = (_of_limit(queue.bytes, queue.limit_bytes), _of_limit(queue.messages, queue.limit_messages))
        yield f"queue {queue.key or queue.name}", queue.owner or "-", *depth, "-"
    for buffer in held.buffers:
        where = "pipe or socket buffer" if buffer.asked == "consumer" else f"buffer, asked by the {buffer.asked}"
        yield where, buffer.mechanism, _of_limit(buffer.bytes, buffer.limit_bytes), "-", "-"
    if held.dev_shm_used_bytes is not None:
        yield "/dev/shm", "-", _of_limit(held.dev_shm_used_bytes, held.dev_shm_limit_bytes), "-", "-"


def _of_limit(value: int | None, limit: int | None) -> str:
    """How much of how much; without a limit, where none is known."""
    if value is None:
        return "-"
    return f"{value:,}" if limit is None else f"{value:,} of {limit:,}"


_ACCOUNTS_NOTE = (
    "Sent = received + lost + on the way, from the ledgers. Skipped: due and never sent. Gone: removed containers."
)


def show_accounts(channels: Sequence[ChannelAccounts]) -> None:
    """One table for all channels, none if no pair is scaled."""
    if not channels:
        return
    table = new_table()
    table.add_column("producer", no_wrap=True)
    for heading in ("sent", "received", "twice", "lost", "on the way", "skipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("received by", overflow="fold")
    for channel in channels:
        for row in channel.producers:
            account = row.account
            table.add_row(
                f"{channel.mechanism} {row.producer}" if row.producer == "gone" else row.producer,
                *(f"{n:,}" for n in (account.sent, account.received, account.twice, account.lost, account.on_the_way)),
                f"{row.skipped:,}",
                "\n".join(f"{count:,} {who}" for who, count in row.received_by.items() if count),
            )
    show_table(table)
    show_text(_ACCOUNTS_NOTE)
    show_lines([""])


_RACES_NOTE = (
    f"Race: once a second a burst of at most {BURST_NS / 1e6:.0f} ms, in which each side adds up to {MAX_STEPS} times "
    "to a shared counter, and writes or reads a record. In the middle of each step a side gives its CPU away "
    "(sched_yield), which makes losses frequent. Lock on: each step is locked. Counts: since the "
    "consumer was started, in rounds that both sides did to the end."
)


def show_races(races: Sequence[Race]) -> None:
    """One row per pair and condition, and what was counted how; nothing where nobody races."""
    if not races:
        return
    table = new_table()
    for index, heading in enumerate(("race", "lock", "updates", "lost updates", "records read", "torn reads")):
        table.add_column(heading, justify="left" if index < 2 else "right", no_wrap=True)
    for race in races:
        condition = f"{'on' if race.sync else 'off'}{', now' if race.now else ''}"
        counts = (race.updates, race.updates_lost, race.records_read, race.records_torn)
        table.add_row(race.mechanism, condition, *(f"{count:,}" for count in counts))
    show_table(table)
    show_text(_RACES_NOTE)
    show_lines([""])
