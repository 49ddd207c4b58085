"""The tables of a bench: one for each shape, size and way of touching, the fastest mechanism first; 80 columns wide.

Hand-over and touched stand in tables of their own, and each title says which: they are never to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from labctl.terminal.printing import count, new_table, show_lines, show_table, show_text
from labctl.terminal.printing import size as in_words

COLUMNS = ("", "µs", "±", "p99", "msg/s", "MB/s", "CPU µs", "switches", "C")
MEANING = """\
µs: median of the runs, per message or round trip, both processes pinned. ±: distance between the fastest and the
slowest run, of the median; ! is over 30 %: noisy, not to be compared; ? is a figure during which others had over 10 %
of the CPUs. p99: of all samples, in µs; one way, a sample is the mean of a group of messages. CPU µs and switches: of
both sides per message; switches are voluntary+involuntary. C: times as slow as the same in C."""
_ONE_WAY_MEANING = "A time of one way is a message's share of the stream: messages follow each other without a pause."

_DISTURBED = 0.10  # of the time of all CPUs

Cell = Mapping[str, Any]


def show(whole: Mapping[str, Any]) -> None:
    """Print all of it: tables, limits, what is not possible, and under which conditions."""
    for title, rows in sections(whole["cells"]):
        show_lines([title])
        table = new_table(gap=1)
        table.add_column(COLUMNS[0], no_wrap=True)
        for name in COLUMNS[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for cell in rows:
            table.add_row(name_of(cell), *values_of(cell))
        show_table(table)
    show_lines(impossible(whole["cells"]))
    show_text(f"{MEANING} {_ONE_WAY_MEANING}")
    show_lines(notes(whole))


def as_markdown(whole: Mapping[str, Any]) -> str:
    """The same, with the date and the machine; the times by size come first."""
    lines = [line for touched in (True, False) for line in by_size(whole, touched=touched)]
    for title, rows in sections(whole["cells"]):
        lines += [f"**{title}**", "", "| " + " | ".join(COLUMNS) + " |", "|---" + "|--:" * (len(COLUMNS) - 1) + "|"]
        lines += ["| " + " | ".join((name_of(cell), *values_of(cell))) + " |" for cell in rows]
        lines.append("")
    lines += [f"- {line}" for line in impossible(whole["cells"])]
    return "\n".join([*lines, "", " ".join(MEANING.split()), "", *notes(whole)]) + "\n"


def by_size(whole: Mapping[str, Any], *, touched: bool) -> list[str]:
    """µs per message of every mechanism, a column for each size: one way, on one CPU, blocking; README.md shows it.

    The fastest at the largest size comes first; a mechanism that cannot carry that size comes last.
    """
    how = {"implementation": "python", "shape": "one-way", "wait": "block", "cpus": "one", "touched": touched}
    cells = [c for c in whole["cells"] if not c["limit"] and all(c[name] == value for name, value in how.items())]
    rows: dict[str, dict[int, float | None]] = {}
    for cell in cells:
        rows.setdefault(name_of(cell), {})[cell["size_bytes"]] = cell["us"]
    sizes = sorted({size for times in rows.values() for size in times})
    if not sizes:
        return []
    ordered = sorted(rows, key=lambda name: [rows[name].get(size) or float("inf") for size in reversed(sizes)])
    return [
        f"| µs, {'touched' if touched else 'hand-over'} | {' | '.join(map(in_words, sizes))} |",
        "|---" + "|--:" * len(sizes) + "|",
        *(f"| {name} | {' | '.join(_short(rows[name].get(size)) for size in sizes)} |" for name in ordered),
        "",
    ]


def sections(cells: Sequence[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Title and rows; of each section the fastest first. Limits of the machine come last."""
    measured = [cell for cell in cells if not cell["why_not"]]
    order = list(dict.fromkeys(map(_section, measured)))
    for section, members in groupby(sorted(measured, key=lambda cell: order.index(_section(cell))), _section):
        yield section, sorted(members, key=lambda cell: cell["us"])


def _section(cell: Cell) -> str:
    if cell["limit"]:
        return "Limits of this machine"
    touched = "touched: every byte written and read" if cell["touched"] else "hand-over: nobody reads the payload"
    return (
        f"{cell['shape']}, {in_words(cell['size_bytes'])}, {touched}"
        f" ({cell['wait']}, {cell['cpus']} CPU{'s' if cell['cpus'] == 'two' else ''})"
    )


def name_of(cell: Cell) -> str:
    """The mechanism, and in which language and with how many copies, where that is not the usual."""
    language = " C" if cell["implementation"] == "c" and not cell["limit"] else ""
    size = f" {in_words(cell['size_bytes'])}" if cell["mechanism"] == "memory_copy" else ""
    return f"{cell['mechanism']}{'' if cell['copies'] else ' 0-copy'}{language}{size}"


def values_of(cell: Cell) -> tuple[str, ...]:
    """The other columns."""
    spread = (cell["us_max"] - cell["us_min"]) / cell["us"]
    lost = f" lost {cell['lost_share']:.0%}" if cell["lost_share"] else ""
    return (
        _short(cell["us"]),
        f"{spread:.0%}{'!' if cell['noisy'] else ''}{'?' if is_disturbed(cell) else ''}",
        _short(cell["p99_us"]),
        count(cell["messages_per_s"]) + lost,
        "-" if cell["bytes_per_s"] is None else f"{cell['bytes_per_s'] / 1e6:,.0f}",
        _short(cell["cpu_us"]),
        f"{cell['voluntary']:.2f}+{cell['involuntary']:.2f}",
        "-" if cell["ratio_to_c"] is None else f"{cell['ratio_to_c']:.1f}",
    )


def is_disturbed(cell: Cell) -> bool:
    """Had other processes, or the hypervisor, too much of the CPUs during its runs?"""
    return bool(cell["foreign_share"] + cell["steal_share"] > _DISTURBED)


def impossible(cells: Sequence[Cell]) -> list[str]:
    """A line for each mechanism and reason: its sizes of which there is no figure."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell["why_not"]:
            sizes = reasons.setdefault((name_of(cell), cell["why_not"]), [])
            if (size := in_words(cell["size_bytes"])) not in sizes:
                sizes.append(size)
    return [f"{name} at {', '.join(sizes)}: {why}" for (name, why), sizes in reasons.items()]


def notes(whole: Mapping[str, Any]) -> list[str]:
    """The machine and the day, what is absent, what failed, and who else used the CPUs."""
    measured = [cell for cell in whole["cells"] if not cell["why_not"]]
    machine = whole["machine"]
    lines = [
        f"Measured {whole['at'][:10]} on {machine['cpus']} CPUs of {machine['processor']}, Linux {machine['kernel']}, "
        f"Python {machine['python']}; {whole['rounds']} rounds, {whole['seconds']:.0f} s.",
        *whole["absent"],
        *(
            f"{name_of(cell)}: {cell['failures']} runs failed: {cell['failed']}"
            for cell in measured
            if cell["failures"]
        ),
    ]
    if measured:
        noisy = sum(cell["noisy"] for cell in measured)
        foreign = sum(cell["foreign_share"] for cell in measured) / len(measured)
        steal = sum(cell["steal_share"] for cell in measured) / len(measured)
        lines.append(
            f"{noisy} of {len(measured)} figures are noisy; other processes had {foreign:.0%} of the CPUs, "
            f"the hypervisor took {steal:.0%}."
        )
    return lines


def _short(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "-"
    return (
        f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value < 0.1 else f"{value:.{1 if value >= 10 else 2}f}"
    )
