"""The plots: every line is named, the two rows stand apart, and nothing is drawn of what was not measured."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure as Drawing

from labctl.experiments.bench import plots
from labctl.experiments.bench.document import document
from support.bench_figures import CONDITIONS, a_cell, figure


def whole(*figures: Any) -> dict[str, Any]:
    return document(figures, CONDITIONS)


FOUND = whole(
    figure(a_cell("fifo", 64), 4.0),
    figure(a_cell("fifo", 65536), 30.0),
    figure(a_cell("fifo", 64, implementation="c"), 2.0),
    figure(a_cell("sysv_shm", 65536, copies=False, touched=True), 9.0),
    figure(a_cell("posix_mq", 65536, max_bytes=8192)),
    figure(a_cell("memory_copy", 65536, implementation="c", limit=True), 1.2),
    figure(a_cell("system_call", 64, implementation="c", limit=True), 0.14),
)


def test_every_picture_is_there_in_both_forms() -> None:
    drawn = plots.plots(FOUND)
    names = ("latency", "throughput", "cost")
    assert sorted(drawn) == sorted(f"{name}.{kind}" for name in names for kind in ("png", "svg"))
    for name, content in drawn.items():
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


def test_hand_over_and_touched_have_a_graph_each_and_every_line_its_name() -> None:
    cells = [cell for cell in FOUND["cells"] if not cell["why_not"]]
    rivals = [cell for cell in cells if not cell["limit"]]
    limits = [cell for cell in cells if cell["limit"]]
    drawing: Drawing = plots._by_size(rivals, "us", 1e-6, "time", "s", limits)
    left, right = drawing.axes
    assert [axes.get_title(loc="left").partition(":")[0] for axes in (left, right)] == ["hand-over", "touched"]
    assert "sysv_shm 0-copy" not in left.get_legend_handles_labels()[1]
    (legend,) = drawing.legends
    named = {text.get_text() for text in legend.get_texts()}
    assert named == {"fifo", "fifo C", "sysv_shm 0-copy", "memory copy (limit)"}


def test_of_nothing_nothing_is_drawn() -> None:
    assert plots.plots(whole(figure(a_cell("posix_mq", 65536, max_bytes=8192)))) == {}
