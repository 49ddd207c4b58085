"""`./lab report`: one HTML file that needs nothing beside it, and its plots as PNGs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ipclab.matrix.placement import Placement
from labctl.lab.lab import Lab
from labctl.lab.probes import placements_shown
from labctl.lab.prometheus import Prometheus
from labctl.matrix import cells as reachability
from labctl.matrix import table
from labctl.matrix.cells import Cell
from labctl.measured.pairs import WINDOW_S
from labctl.report import conditions, data, faults, last_bench
from labctl.report import plots as report_plots
from labctl.report.conditions import Facts
from labctl.report.data import PERCENTILES, Measured
from labctl.report.faults import Faults
from labctl.report.last_bench import LastBench
from labctl.terminal import colours
from labctl.terminal.files import write_together
from labctl.terminal.printing import duration, show_lines
from labctl.terminal.progress import step

PAGE = "report.html"
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(lab: Lab, since_s: int, folder: Path) -> None:
    """Ask Prometheus, draw, and write; nothing is written, and nothing old touched, before all of it is there.

    :raises LabError: Prometheus does not answer or has nothing of that time, or the folder cannot be written to
    """
    prometheus = lab.prometheus
    with step("Asking Prometheus"):
        measured = data.read(prometheus, since_s)
        cells = _cells(prometheus)
        facts = conditions.machine_and_versions(lab)
        settings = conditions.settings(lab)
        bench = last_bench.read(prometheus)
        broken = faults.read(prometheus, measured.start, measured.end)
    with step("Drawing"):
        plots = report_plots.plots(measured)
        if bench:
            plots["bench.png"] = report_plots.png(last_bench.plot(bench))
    files = {PAGE: page(measured, since_s, cells, facts, settings, plots, bench, broken).encode(), **plots}
    write_together(files, folder, "the report")
    show_lines([str(folder / PAGE)])


_NO_FAULTS = Faults((), ())


def page(
    measured: Measured,
    since_s: int,
    cells: Sequence[Cell],
    facts: Facts,
    settings: Facts,
    plots: Mapping[str, bytes],
    bench: LastBench | None = None,
    broken: Faults = _NO_FAULTS,
) -> str:
    """The HTML, with everything in it; without `cells` that were measured it says that no probe runs."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"duration": duration, "count": _count, "range": _range, "colour": colours.of_mechanism}
    return environment.get_template(f"{PAGE}.j2").render(
        measured=measured,
        since_s=since_s,
        percentiles=PERCENTILES,
        window_s=WINDOW_S,
        start=_moment(measured.start),
        end=_moment(measured.end),
        placements=list(dict.fromkeys(str(cell.placement).replace("_", " ") for cell in cells)),
        matrix=_matrix(cells),
        reasons=table.reason_lines(cells),
        facts=facts,
        settings=settings,
        bench=bench,
        broken=broken,
        plots={name: f"data:image/png;base64,{base64.b64encode(png).decode()}" for name, png in plots.items()},
    )


def _cells(prometheus: Prometheus) -> list[Cell]:
    """The matrix with a column for every placement of the whole lab, and for whatever else was measured."""
    cells = reachability.read(prometheus, list(Placement))
    measured = {cell.placement for cell in cells if cell.success is not None}
    shown = placements_shown(place for place in Placement if place in measured)
    return [cell for cell in cells if cell.placement in shown]


def _matrix(cells: Sequence[Cell]) -> dict[str, list[tuple[bool | None, str]]]:
    """Mechanism to its cells: reached or not, and what a person reads; nothing where no probe runs."""
    rows: dict[str, list[tuple[bool | None, str]]] = {}
    if any(cell.success is not None for cell in cells):
        for cell in cells:
            rows.setdefault(cell.mechanism, []).append((cell.success, table.with_time(cell)))
    return rows


def _count(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _range(between: tuple[float, float] | None) -> str:
    if between is None:
        return "-"
    least, most = between
    return f"{least:,.0f}" if least == most else f"{least:,.0f} to {most:,.0f}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
