"""The plots of a bench, as PNG and SVG: latency by size, throughput by size, CPU time and switches per message.

Lines of zero copy are solid and thick, lines of mechanisms that copy are thin, those of C are dashed. Limits of the
machine are grey. Every line has its name at its end: colour is never the only sign.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter, NullLocator

from ipclab import mechanisms
from labctl.experiments.bench.table import name_of
from labctl.terminal import colours
from labctl.terminal.printing import size as in_words

mpl.use("Agg")  # no display is needed
_WIDTH, _HEIGHT, _DPI = 11.0, 6.4, 110
_KINDS = ("png", "svg")
_OF_OTHERS = ("#777777", "#AA8800", "#008888", "#884400", "#444488")  # of what is no mechanism of the lab

Cell = Mapping[str, Any]


def plots(whole: Mapping[str, Any]) -> dict[str, bytes]:
    """File name to image; nothing is drawn of what was not measured."""
    measured = [cell for cell in whole["cells"] if not cell["why_not"]]
    rivals = [cell for cell in measured if not cell["limit"] and cell["wait"] == measured[0]["wait"]]
    rivals = [cell for cell in rivals if cell["cpus"] == rivals[0]["cpus"]]
    limits = [cell for cell in measured if cell["limit"]]
    drawn: dict[str, Figure] = {}
    stream = [cell for cell in rivals if cell["shape"] == "one-way"]
    if stream:
        drawn["latency"] = _by_size(stream, "us", 1e-6, "time per message, one way", "s", limits)
        drawn["throughput"] = _by_size(stream, "bytes_per_s", 1.0, "bytes per second, one way", "B/s", limits)
    if rivals:
        drawn["cost"] = _cost(rivals)
    note = f"{whole['at'][:10]}, {whole['machine']['processor']}, Linux {whole['machine']['kernel']}"
    return {f"{name}.{kind}": _image(figure, kind, note) for name, figure in drawn.items() for kind in _KINDS}


def _by_size(cells: Sequence[Cell], field: str, factor: float, label: str, unit: str, limits: Sequence[Cell]) -> Figure:
    """The two rows side by side, on one scale, and never in one graph."""
    figure = Figure((_WIDTH, _HEIGHT), layout="constrained")
    sides = sorted({bool(cell["touched"]) for cell in cells})
    grid = figure.subplots(1, len(sides), sharey=True, squeeze=False)
    for axes, touched in zip(grid[0], sides, strict=True):
        title = "touched: every byte written and read" if touched else "hand-over: nobody reads the payload"
        axes.set_title(title, loc="left", fontsize="medium", fontweight="bold")
        _lines([cell for cell in cells if cell["touched"] is touched], axes, lambda cell: (cell[field] or 0) * factor)
        copying = [cell for cell in limits if cell["mechanism"] == "memory_copy"]
        if copying:
            points = sorted((cell["size_bytes"], (cell[field] or 0) * factor) for cell in copying)
            axes.plot(
                *zip(*points, strict=True), color="#999999", linestyle=":", linewidth=2, label="memory copy (limit)"
            )
        for cell in limits:
            if field == "us" and cell["mechanism"] != "memory_copy":
                axes.axhline(cell["us"] * factor, color="#BBBBBB", linewidth=0.8)
                axes.annotate(
                    f"{cell['mechanism'].replace('_', ' ')} (limit)",
                    (0.01, cell["us"] * factor),
                    xycoords=("axes fraction", "data"),
                    fontsize="x-small",
                    va="bottom",
                )
        _size_axis(axes, cells)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(EngFormatter(unit=unit))
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.supylabel(label, fontsize="medium")
    named = {label: line for axes in grid[0] for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside right center", frameon=False, fontsize="small")
    return figure


def _cost(cells: Sequence[Cell]) -> Figure:
    figure = Figure((_WIDTH, _HEIGHT), layout="constrained")
    shape = "one-way" if any(cell["shape"] == "one-way" for cell in cells) else cells[0]["shape"]
    chosen = [cell for cell in cells if cell["shape"] == shape]
    chosen = [cell for cell in chosen if cell["touched"] is max(bool(cell["touched"]) for cell in chosen)]
    left, right = figure.subplots(1, 2)
    _lines(chosen, left, lambda cell: cell["cpu_us"] * 1e-6)
    _lines(chosen, right, lambda cell: max(1e-4, cell["voluntary"] + cell["involuntary"]))
    touched = "touched" if chosen[0]["touched"] else "hand-over"
    left.set_title(f"CPU time per message, both sides ({shape}, {touched})", loc="left", fontsize="medium")
    right.set_title("context switches per message, both sides", loc="left", fontsize="medium")
    for axes in (left, right):
        axes.set_yscale("log")
        _size_axis(axes, chosen)
    left.yaxis.set_major_formatter(EngFormatter(unit="s"))
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize="small")
    return figure


def _lines(cells: Sequence[Cell], axes: Axes, value: Callable[[Cell], float]) -> None:
    names = list(dict.fromkeys(map(name_of, cells)))
    for name in names:
        own = sorted((cell for cell in cells if name_of(cell) == name), key=lambda cell: cell["size_bytes"])
        first = own[0]
        axes.plot(
            [cell["size_bytes"] for cell in own],
            [value(cell) for cell in own],
            color=_colour(first["mechanism"]),
            linestyle="--" if first["implementation"] == "c" else "-",
            linewidth=1.4 if first["copies"] else 3.0,
            marker="o" if first["copies"] else "D",
            markersize=4,
            label=name,
        )


def _colour(mechanism: str) -> str:
    if mechanism in mechanisms.names():
        return colours.of_mechanism(mechanism)
    return _OF_OTHERS[sum(mechanism.encode()) % len(_OF_OTHERS)]


def _size_axis(axes: Axes, cells: Sequence[Cell]) -> None:
    sizes = sorted({cell["size_bytes"] for cell in cells})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [in_words(size) for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize="small")
    axes.grid(alpha=0.4)


def _image(figure: Figure, kind: str, note: str) -> bytes:
    buffer = io.BytesIO()
    figure.suptitle(note, fontsize="x-small", x=0.01, ha="left")
    # Without a date inside: the same figures are the same file.
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return buffer.getvalue()
