"""The last bench in the report: a table and a plot, from the metrics that Prometheus has of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter, NullLocator

from ipclab.bench.last_bench import LIMIT
from labctl.lab.prometheus import Prometheus
from labctl.terminal import colours
from labctl.terminal.printing import size as in_words

_HOW = 'shape="one-way",wait="block",cpus="one"'
_KEY = ("mechanism", "implementation", "size", "copies", "touched")
_VALUES = {
    "seconds": "ipc_bench_message_seconds",
    "p99_s": 'ipc_bench_message_percentile_seconds{percentile="99"}',
    "bytes_per_s": "ipc_bench_bytes_per_second",
    "cpu_s": "ipc_bench_cpu_seconds",
    "noisy": "ipc_bench_noisy",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the bench: messages that follow each other on one CPU, both sides blocking. None is not measured."""

    mechanism: str
    implementation: str
    size_bytes: int
    copies: bool
    touched: bool
    seconds: float
    p99_s: float | None
    bytes_per_s: float | None
    cpu_s: float | None
    noisy: bool
    c_seconds: float | None = None

    @property
    def name(self) -> str:
        """The mechanism, and what is not the usual about it."""
        if self.implementation == LIMIT:
            return f"{self.mechanism} (limit)"
        language = " C" if self.implementation == "c" else ""
        return f"{self.mechanism}{'' if self.copies else ' 0-copy'}{language}"

    @property
    def in_words(self) -> str:
        """The size."""
        return in_words(self.size_bytes)

    @property
    def ratio(self) -> float | None:
        """Its time over that of C."""
        return None if self.c_seconds is None else self.seconds / self.c_seconds


@dataclass(frozen=True, slots=True)
class LastBench:
    """All rows, in the order of the report: hand-over, then touched; by size, the fastest first."""

    at: str
    rows: Sequence[Row]


def read(prometheus: Prometheus) -> LastBench | None:
    """The last bench; None if there was none."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for field, series in _VALUES.items():
        name, _, more = series.partition("{")
        where = f"{_HOW},{more.removesuffix('}')}" if more else _HOW
        for sample in prometheus.query(f"min by ({', '.join(_KEY)}) ({name}{{{where}}})"):
            key = tuple(sample.labels[label] for label in _KEY)
            found.setdefault(key, {})[field] = sample.value
    rows = [_row(key, values, found) for key, values in found.items() if "seconds" in values]
    moments = prometheus.query("max(ipc_bench_timestamp_seconds)")
    if not rows or not moments:
        return None
    rows.sort(key=lambda row: (row.touched, row.size_bytes, row.seconds))
    return LastBench(time.strftime("%Y-%m-%d %H:%M", time.localtime(moments[0].value)), rows)


def plot(bench: LastBench) -> Figure:
    """The time per message by size: hand-over and touched side by side, on one scale."""
    figure = Figure((11.0, 5.6), layout="constrained")
    sides = sorted({row.touched for row in bench.rows})
    grid = figure.subplots(1, len(sides), sharey=True, squeeze=False)
    for axes, touched in zip(grid[0], sides, strict=True):
        _lines(axes, [row for row in bench.rows if row.touched is touched])
        axes.set_title("touched" if touched else "hand-over", loc="left", fontsize="medium", fontweight="bold")
    figure.supylabel("time per message, one way", fontsize="medium")
    named = {label: line for axes in grid[0] for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside right center", frameon=False, fontsize="small")
    return figure


def _lines(axes: Axes, rows: Sequence[Row]) -> None:
    for name in sorted({row.name for row in rows}):
        own = sorted((row for row in rows if row.name == name), key=lambda row: row.size_bytes)
        axes.plot(
            [row.size_bytes for row in own],
            [row.seconds for row in own],
            color=colours.of_mechanism(own[0].mechanism),
            linestyle={"c": "--", LIMIT: ":"}.get(own[0].implementation, "-"),
            linewidth=1.4 if own[0].copies else 3.0,
            marker="o",
            markersize=4,
            label=name,
        )
    sizes = sorted({row.size_bytes for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [in_words(size) for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.4)


def _row(key: tuple[str, ...], values: dict[str, float], found: dict[tuple[str, ...], dict[str, float]]) -> Row:
    mechanism, implementation, size, copies, touched = key
    reference = found.get((mechanism, "c", size, copies, touched), {}) if implementation != "c" else {}
    return Row(
        mechanism=mechanism,
        implementation=implementation,
        size_bytes=int(size),
        copies=copies == "yes",
        touched=touched == "yes",
        seconds=values["seconds"],
        p99_s=values.get("p99_s"),
        bytes_per_s=values.get("bytes_per_s"),
        cpu_s=values.get("cpu_s"),
        noisy=bool(values.get("noisy")),
        c_seconds=reference.get("seconds"),
    )
