"""`./lab status`, the section "what the kernel holds": one row per object, and how full it is."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.kernel_books import KernelBooks
from labctl.terminal.printing import new_table, show_lines, show_table, show_text

_KERNEL_NOTE = (
    "As of the last scrape. System V queues are full by bytes, POSIX queues by messages. A socket's limit is for "
    "the kernel's overhead too, so it is full before its bytes are that many. The responder's and the probes' are "
    "for the matrix; of -: nobody's of the lab."
)
_NO_KEY = "0x00000000"
_NO_KEY_IS = (
    f"{_NO_KEY} is no key: removed, and gone once nobody has it attached (a probe's, after each try); or private."
)

_Row = tuple[str, str, str, str, str]


def show_kernel_objects(books: KernelBooks) -> None:
    """Print it; nothing where nothing is held."""
    rows = list(_kernel_rows(books))
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
    without_key = any(segment.key == _NO_KEY for segment in books.segments)
    show_text(" ".join([_KERNEL_NOTE, *([_NO_KEY_IS] if without_key else [])]))
    show_lines([""])


def _kernel_rows(books: KernelBooks) -> Iterator[_Row]:
    for segment in books.segments:
        attached = "-" if segment.attachments is None else str(segment.attachments)
        what = f"shared memory {segment.key or segment.name}"
        yield what, segment.owner or "-", f"{segment.size_bytes:,}", "-", attached
    for queue in books.queues:
        depth = (_of_limit(queue.bytes, queue.limit_bytes), _of_limit(queue.messages, queue.limit_messages))
        yield f"queue {queue.key or queue.name}", queue.owner or "-", *depth, "-"
    for buffer in books.buffers:
        yield "pipe or socket buffer", buffer.mechanism, _of_limit(buffer.bytes, buffer.limit_bytes), "-", "-"
    if books.dev_shm_used_bytes is not None:
        yield "/dev/shm", "-", _of_limit(books.dev_shm_used_bytes, books.dev_shm_limit_bytes), "-", "-"


def _of_limit(value: int | None, limit: int | None) -> str:
    """How much of how much; without a limit, where none is known."""
    if value is None:
        return "-"
    return f"{value:,}" if limit is None else f"{value:,} of {limit:,}"
