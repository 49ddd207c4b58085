"""Answers of Prometheus as Grafana makes fields of them: named lines, and tables of labels and values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labpage.panels.definition import Merge, Organize, Panel, Query, SortBy, Transformation
from labpage.prometheus import Sample

Cell = str | float | None
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass
class Table:
    """Columns in their order, and rows by column; a row may lack a column."""

    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, Cell]] = field(default_factory=list)


def legend(template: str, labels: Mapping[str, str]) -> str:
    """The name of a line; without a template all its labels, as Prometheus writes them."""
    if template:
        return _LABEL.sub(lambda found: labels.get(found[1], ""), template)
    inner = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"


def table_of(panel: Panel, answers: Sequence[tuple[Query, Sequence[Sample]]]) -> Table:
    """The table of a panel, with its transformations done and its rows sorted."""
    several = len(answers) > 1
    made = Table()
    labels: dict[str, None] = {}
    for query, samples in answers:
        value = f"Value #{query.ref_id}" if several else "Value"
        for sample in samples:
            own = {name: text for name, text in sample.labels.items() if name != "__name__"}
            labels.update(dict.fromkeys(own))
            made.rows.append({**own, value: sample.value})
        made.columns.append(value)
    made.columns = ["Time", *labels, *made.columns]
    for step in panel.transformations:
        made = _transformed(made, step, labels)
    if panel.sort_by is not None:
        by = panel.sort_by
        made.rows.sort(key=lambda row: _order(row.get(by)), reverse=panel.sort_descending)
    return made


def _transformed(table: Table, step: Transformation, labels: Mapping[str, None]) -> Table:
    if isinstance(step, Merge):
        return Table(table.columns, _merged(table.rows, labels))
    if isinstance(step, SortBy):
        return Table(table.columns, sorted(table.rows, key=lambda row: _order(row.get(step.column))))
    if isinstance(step, Organize):
        return _organized(table, step)
    raise TypeError(step)


def _merged(rows: Sequence[dict[str, Cell]], labels: Mapping[str, None]) -> list[dict[str, Cell]]:
    """Rows that agree in every label they share, and differ in no column, become one; Grafana's "merge"."""
    made: list[dict[str, Cell]] = []
    for row in rows:
        key = {name for name in row if name in labels}
        for other in made:
            same_key = key & {name for name in other if name in labels}
            shared = row.keys() & other.keys()
            if same_key and all(row[name] == other[name] for name in shared):
                other.update(row)
                break
        else:
            made.append(dict(row))
    return made


def _organized(table: Table, step: Organize) -> Table:
    kept = [column for column in table.columns if column not in step.hidden]
    kept.sort(key=lambda column: step.order.get(column, len(step.order)))
    names = {column: step.names.get(column, column) for column in kept}
    rows = [{names[column]: value for column, value in row.items() if column in names} for row in table.rows]
    return Table([names[column] for column in kept], rows)


def _order(value: Cell) -> tuple[int, float, str]:
    """Numbers by size, then words as people sort them: digits within them by value; what is absent comes last."""
    if value is None:
        return (2, 0.0, "")
    try:
        number = float(value)
    except ValueError:
        return (1, 0.0, re.sub(r"\d+", lambda found: found[0].zfill(20), str(value).lower()))
    return (2, 0.0, "") if math.isnan(number) else (0, number, "")
