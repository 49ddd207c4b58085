"""The report's plots as PNG. Colours are the dashboards'; names stand beside every line and row, in no colour alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import matplotlib as mpl
from matplotlib import dates, patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from labctl.report.data import PERCENTILES, Curve, Measured, Total
from labctl.terminal import colours

mpl.use("Agg")  # no display is needed


_WIDTH, _DPI = 11.0, 110  # inches; 1210 pixels, for a page of 1100
_EDGE = "#333333"  # drawn behind every line: some of the colours are pale, and paper is white
_COLUMNS = 3
_MARKS = ("o", "s", "D", "^")


def plots(measured: Measured) -> dict[str, bytes]:
    """File name to PNG."""
    return {
        "rate.png": png(_rate(measured)),
        "latency.png": png(_latency(measured)),
        "percentiles.png": png(_percentiles(measured.totals)),
        "cost.png": png(_cost(measured.totals)),
    }


def _rate(measured: Measured) -> Figure:
    figure, panels = _small_multiples(measured)
    for curve in measured.curves["rate"]:
        _line(panels[curve.mechanism], curve, measured, "-")
    for axes in panels.values():
        axes.set_ylim(bottom=0)
    figure.supylabel("messages received per second", fontsize="medium")
    return figure


def _latency(measured: Measured) -> Figure:
    figure, panels = _small_multiples(measured)
    for name, dashes in (("p50", "-"), ("p99", (0, (4, 1.5)))):
        for curve in measured.curves[name]:
            _line(panels[curve.mechanism], curve, measured, dashes)
        figure.axes[0].plot([], [], color=_EDGE, linestyle=dashes, label=f"{name.removeprefix('p')} % take at most")
    for axes in panels.values():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.supylabel("one-way latency", fontsize="medium")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _percentiles(totals: Sequence[Total]) -> Figure:
    """A row per mechanism, a mark of its own shape per percentile."""
    figure = Figure((_WIDTH, 1.4 + 0.34 * len(totals)), layout="constrained")
    axes = figure.subplots()
    for row, total in enumerate(totals):
        known = [value for value in total.percentiles if value is not None]
        if known:
            axes.plot([min(known), max(known)], [row, row], color=_EDGE, linewidth=1, zorder=1)
        for value, mark in zip(total.percentiles, _MARKS, strict=True):
            if value is not None:
                colour = colours.of_mechanism(total.mechanism)
                axes.scatter([value], [row], s=62, marker=mark, color=colour, edgecolors=_EDGE, zorder=2)
    for percentile, mark in zip(PERCENTILES, _MARKS, strict=True):
        axes.scatter([], [], s=62, marker=mark, color="white", edgecolors=_EDGE, label=f"{percentile:g} %")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.set_xlabel("one-way latency that so many of the messages do not exceed")
    _rows(axes, totals)
    figure.legend(loc="outside upper center", ncols=len(PERCENTILES), frameon=False)
    return figure


def _cost(totals: Sequence[Total]) -> Figure:
    figure = Figure((_WIDTH, 1.4 + 0.34 * len(totals)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for row, total in enumerate(totals):
        colour = colours.of_mechanism(total.mechanism)
        left.barh(row, total.cpu_s or 0, color=colour, edgecolor=_EDGE)
        right.barh(row, total.voluntary or 0, color=colour, edgecolor=_EDGE)
        right.barh(row, total.involuntary or 0, left=total.voluntary or 0, color="white", edgecolor=_EDGE, hatch="////")
    left.xaxis.set_major_formatter(EngFormatter(unit="s"))
    left.set_xlabel("CPU time per message, both sides")
    right.set_xlabel("context switches per message, both sides; hatched: involuntary")
    _rows(left, totals)
    right.grid(axis="x", alpha=0.4)
    right.set_axisbelow(True)
    return figure


def _small_multiples(measured: Measured) -> tuple[Figure, dict[str, Axes]]:
    """A graph for each mechanism, all on the same axes: eleven lines in one graph hide each other."""
    names = [total.mechanism for total in measured.totals]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Figure((_WIDTH, 1.0 + 1.55 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for axes, name in zip(panels, names, strict=False):
        axes.set_title(name, loc="left", fontsize="medium", fontweight="bold")
        time_axis(axes, measured.start, measured.end)
        axes.tick_params(axis="x", labelbottom=True, labelsize="small")
        axes.grid(alpha=0.4)
    for axes in panels[len(names) :]:
        axes.remove()
    return figure, dict(zip(names, panels, strict=False))


def time_axis(axes: Axes, start: float, end: float) -> None:
    """The time of day from `start` to `end` (seconds since 1970), at two to five round moments."""
    zone = datetime.now().astimezone().tzinfo
    axes.set_xlim(*(dates.date2num(datetime.fromtimestamp(moment, UTC)) for moment in (start, end)))  # type: ignore[no-untyped-call]
    # With three at least, matplotlib finds no round distance for what is between two and three minutes.
    axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=5))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S", tz=zone))  # type: ignore[no-untyped-call]


def _line(axes: Axes, curve: Curve, measured: Measured, dashes: Any) -> None:
    times, values = with_gaps(curve, measured.step_s)
    (line,) = axes.plot(
        [dates.date2num(datetime.fromtimestamp(moment, UTC)) for moment in times],  # type: ignore[no-untyped-call]
        values,
        color=colours.of_mechanism(curve.mechanism),
        linestyle=dashes,
        linewidth=1.8,
    )
    line.set_path_effects([patheffects.Stroke(linewidth=2.8, foreground=_EDGE), patheffects.Normal()])


def with_gaps(curve: Curve, step_s: float) -> tuple[list[float], list[float]]:
    """The curve with a NaN where points are missing, so that no line is drawn across what was not measured."""
    times, values = curve.times[:1], curve.values[:1]
    for before, moment, value in zip(curve.times, curve.times[1:], curve.values[1:], strict=False):
        if moment - before > 1.5 * step_s:
            times.append((before + moment) / 2)
            values.append(float("nan"))
        times.append(moment)
        values.append(value)
    return times, values


def _rows(axes: Axes, totals: Sequence[Total]) -> None:
    axes.set_yticks(range(len(totals)), [total.mechanism for total in totals])
    axes.set_ylim(len(totals) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """The picture of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()
