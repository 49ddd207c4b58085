"""The table of the pairs, one row each, and the table of every figure of one pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.table import Table

from ipclab.metrics.definitions import PART_OF
from ipclab.runtime.overrides import Load
from labctl.config.loads import limit_of, name_of
from labctl.measured.pairs import WINDOW_S, PairMeasures, per_mib, sizes_differ
from labctl.terminal.printing import count, duration, new_table, ratio, show_lines, show_table, show_text, size

_CONDITIONS = (
    f"Last {WINDOW_S} s: latency from the due time; CPU time and switches of both loops per message. Since created or "
    "reset: skipped (due, never sent), lost, corrupt."
)
# The reasons of ipc_messages_lost_total: see services/ipclab/accounting/checker.py.
_LOST = {
    "channel": "in the channel while both sides ran",
    "consumer_restart": "when a consumer ended: received and not yet counted, or in a channel that ended with it",
    "producer_restart": "when a producer ended: not yet sent, or in a channel that ended with it",
}
_PARTS = {
    "late": f"median of 1 message in {PART_OF}: from due until its sending began",
    "send": "median: header, checksum and system call, until send returned",
    "channel": "the rest until received: kernel, idle CPU, waking, interpreter",
    "wake": "a part of channel: from woken to running, the kernel's mean (schedstat)",
    "check": "median: checksum and accounts, after the latency has ended",
}


def show_pairs(pairs: Sequence[PairMeasures]) -> None:
    """One row per pair, and under which conditions it was measured."""
    show_table(pair_table(pairs), ends_blank=False)  # a line more does not fit on one screen with all the rest
    beside = " CPU/MiB: that CPU time by the size of the message." if sizes_differ(pairs) else ""
    show_text(f"{_CONDITIONS}{beside}")
    show_lines([line] if (line := load_and_conditions(pairs)) else [])


def loss_sentences(pairs: Sequence[PairMeasures]) -> list[str]:
    """Why messages were lost, one sentence for each reason that there is; and what the kernel counted itself."""
    sentences = []
    for reason, explained in _LOST.items():
        by_pair = [f"{pair.mechanism} {number:,}" for pair in pairs if (number := pair.lost_by_reason.get(reason))]
        if by_pair:
            sentences.append(f"Lost {explained}: {', '.join(by_pair)}.")
    dropped = [f"{pair.mechanism} {pair.kernel_drops:,}" for pair in pairs if pair.kernel_drops]
    if dropped:
        sentences.append(f"Dropped by the kernel since the consumer started: {', '.join(dropped)}.")
    return sentences


_PER_MIB = "CPU\n/MiB"
_COLUMNS: dict[str, Callable[[PairMeasures], str]] = {
    "pair": lambda pair: pair.mechanism,
    "messages\n/s": lambda pair: count(pair.rate),
    "one-way\nmedian": lambda pair: duration(pair.one_way_p50_seconds),
    "one-way\np99": lambda pair: duration(pair.one_way_p99_seconds),
    "CPU\ntime": lambda pair: duration(pair.cpu_seconds_per_message),
    _PER_MIB: lambda pair: duration(per_mib(pair.cpu_seconds_per_message, pair.size_bytes)),
    "context\nswitches": lambda pair: ratio(pair.context_switches_per_message),
    "skipped": lambda pair: count(pair.skipped),
    "lost": lambda pair: count(pair.lost),
    "corrupt": lambda pair: count(pair.corrupt),
}


def pair_table(pairs: Sequence[PairMeasures]) -> Table:
    """One row per pair; 80 columns at most, while all pairs send messages of one size."""
    table = new_table(gap=1)
    columns = {heading: cell for heading, cell in _COLUMNS.items() if heading != _PER_MIB or sizes_differ(pairs)}
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "pair" else "right", no_wrap=True)
    for pair in pairs:
        table.add_row(*(cell(pair) for cell in columns.values()))
    return table


def load_and_conditions(pairs: Sequence[PairMeasures]) -> str:
    """What all pairs have in common, and which differ; "" where nothing is known."""
    loads = {pair.mechanism: load(pair) for pair in pairs}
    sentences = (
        _shared("Load", loads),
        _shared("LAB_CPUS", {pair.mechanism: pair.cpus for pair in pairs}),
        _shared("Waiting receivers", {pair.mechanism: pair.wait for pair in pairs}),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def load(pair: PairMeasures) -> str | None:
    """Messages that are due, their size, and the name of that load; None where a part of it is not measured."""
    if pair.load_rate is None or pair.size_bytes is None:
        return None
    burst = pair.burst or 1
    name = name_of(pair.mechanism, Load(pair.load_rate, pair.size_bytes, burst))
    bursts = f" in bursts of {burst}" if burst > 1 else ""
    limit = " (its limit)" if pair.size_bytes == limit_of(pair.mechanism) else ""
    return f"{name} {pair.load_rate:,}/s of {size(pair.size_bytes)}{limit}{bursts}".strip()


def _shared(what: str, words: Mapping[str, str | None]) -> str:
    """One line for all pairs: the word that most of them have, then the others by name; "" where nothing is known."""
    known = [word for word in words.values() if word]
    if not known:
        return ""
    usual = max(sorted(set(known)), key=known.count)
    others: dict[str, list[str]] = {}
    for mechanism, word in words.items():
        if word and word != usual:
            others.setdefault(word, []).append(mechanism)
    return f"{what}: {usual}" + "".join(f"; {', '.join(names)} {word}" for word, names in others.items()) + "."


def show_pair(pair: PairMeasures) -> None:
    """Every figure of one pair, and what it counts."""
    table = new_table()
    table.add_column(pair.mechanism, no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("meaning", overflow="fold")
    for row in _facts(pair):
        table.add_row(*row)
    show_table(table)


def _facts(pair: PairMeasures) -> Iterator[tuple[str, str, str]]:
    window = f"over the last {WINDOW_S} s"
    created = "messages since the pair was created or reset"
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in pair.lost_by_reason.items() if number)
    yield "load", load(pair) or "-", "messages that are due, and their size with the header"
    yield "received", f"{_exactly(pair.rate)}/s", f"messages, {window}"
    yield "one-way median", duration(pair.one_way_p50_seconds), f"from when a message was due, {window}"
    yield (
        "one-way p99",
        duration(pair.one_way_p99_seconds),
        "1 in 100 took longer; buckets are at most 25 % wide",
    )
    yield (
        "CPU time",
        duration(pair.cpu_seconds_per_message),
        "of one message: the threads of both loops; a container's fixed cost is not in it",
    )
    yield "context switches", ratio(pair.context_switches_per_message), "of one message: the same threads"
    for part, meaning in _PARTS.items():
        yield f"  {part}", duration(pair.parts.get(part)), meaning
    yield "sent", _exactly(pair.sent), created
    yield "received", _exactly(pair.received), f"{created}; counted up to 2 s before sent"
    yield "on the way", _exactly(pair.in_flight), "sent, and neither received nor lost so far"
    yield "skipped", _exactly(pair.skipped), "due for more than a second, and never sent"
    yield "lost", _exactly(pair.lost), f"sent, and never received{f': {reasons}' if reasons else ''}"
    yield "duplicated", _exactly(pair.duplicated), "received more than once"
    yield "reordered", _exactly(pair.reordered), "received after a later one"
    yield "corrupt", _exactly(pair.corrupt), "checksum or length is wrong; counted as lost too"
    yield "dropped", _exactly(pair.kernel_drops), "by the kernel's count since the consumer started; -: it never drops"
    yield "receiver", pair.wait or "-", "how the receiver waits (LAB_WAIT)"
    yield "CPUs", pair.cpus or "-", "on which both sides may run (LAB_CPUS)"


def _exactly(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
