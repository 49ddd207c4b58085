"""What a dashboard is, once read: only what the page draws, and all of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The types of panels, by Grafana's names."""

    TIME_SERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"
    BAR_CHART = "barchart"
    HEATMAP = "heatmap"
    STATE_TIMELINE = "state-timeline"
    TEXT = "text"


@dataclass(frozen=True)
class Query:
    """One question to Prometheus: over the time range, or of this moment alone (`instant`)."""

    ref_id: str
    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Place:
    """On a grid of 24 columns; a row has 38 pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Mapped:
    """What is shown instead of a value; no colour: that of the threshold."""

    text: str
    colour: str | None = None


@dataclass(frozen=True)
class Step:
    """From this value up (None: from below everything) the colour."""

    value: float | None
    colour: str


@dataclass(frozen=True)
class Link:
    """Where a cell leads to; the address has `${__value.text}` for the cell's text."""

    title: str
    url: str


@dataclass(frozen=True)
class Look:
    """How a field is shown: a line of a graph, a column of a table, a number. None: as the panel's defaults say."""

    unit: str | None = None
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    no_value: str | None = None
    colour: str | None = None
    mappings: Mapping[str, Mapped] | None = None
    steps: Sequence[Step] | None = None
    links: Sequence[Link] | None = None
    width: int | None = None  # of a column or of a line, in pixels
    line_width: int | None = None
    fill_percent: int | None = None
    dash: Sequence[int] | None = None
    stepped: bool | None = None
    log_base: int | None = None
    soft_minimum: float | None = None
    soft_maximum: float | None = None
    minimal_width: int | None = None
    cell: str | None = None  # how a cell has its colour: color-background, color-text
    in_legend: bool | None = None
    in_tooltip: bool | None = None

    def over(self, other: Look) -> Look:
        """This look, and where it says nothing the other."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return Look(**{**vars(other), **said})


@dataclass(frozen=True)
class Override:
    """A look of the fields of one name, or of all whose names match a pattern."""

    name: str | None
    pattern: re.Pattern[str] | None
    look: Look

    def matches(self, field_name: str) -> bool:
        """Whether the field is meant."""
        if self.pattern is not None:
            return self.pattern.search(field_name) is not None
        return field_name == self.name


@dataclass(frozen=True)
class Merge:
    """Rows of all queries that agree in every label become one row."""


@dataclass(frozen=True)
class SortBy:
    """The rows in the order of one column's numbers."""

    column: str


@dataclass(frozen=True)
class Organize:
    """Which columns there are, in which order, under which names."""

    hidden: frozenset[str]
    order: Mapping[str, int]
    names: Mapping[str, str]


Transformation = Merge | SortBy | Organize


@dataclass(frozen=True)
class Panel:
    """One panel. `content` is the Markdown of a text panel, `x_field` the column along which a bar chart goes."""

    number: int
    title: str
    description: str
    kind: Kind
    place: Place
    queries: Sequence[Query] = ()
    most_points: int | None = None
    look: Look = field(default_factory=Look)
    overrides: Sequence[Override] = ()
    transformations: Sequence[Transformation] = ()
    sort_by: str | None = None
    sort_descending: bool = False
    content: str = ""
    x_field: str = ""
    cell_unit: str = ""  # of a heatmap: what a cell counts
    hidden_up_to: float | None = None  # of a heatmap: a cell with no more than this is empty
    has_legend: bool = False
    tooltip_of_all: bool = False
    tooltip_descending: bool = False

    def look_of(self, field_name: str) -> Look:
        """The look of a field: later overrides win, each property for itself."""
        look = self.look
        for override in self.overrides:
            if override.matches(field_name):
                look = override.look.over(look)
        return look


@dataclass(frozen=True)
class Option:
    """One choice of a variable: its text is what is chosen, its value what `${name:raw}` becomes."""

    text: str
    value: str


@dataclass(frozen=True)
class Variable:
    """What a person chooses at the top. Without options, it offers the values of the label `of_label` of `series`."""

    name: str
    label: str
    description: str
    default: str
    options: Sequence[Option] = ()
    series: str = ""
    of_label: str = ""
    all_value: str | None = None


@dataclass(frozen=True)
class Mark:
    """Events on the time axis: where the query has a value. `choice`: a person can switch them off."""

    name: str
    colour: str
    expr: str
    title: str
    step_s: float
    choice: bool


@dataclass(frozen=True)
class Dashboard:
    """All panels of a page. `in_grafana_only` names the marks that are kept in Grafana, where the page cannot read."""

    name: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: Sequence[Variable]
    marks: Sequence[Mark]
    in_grafana_only: Sequence[str]
    range_s: int
    refresh_s: float

    def panel(self, number: int) -> Panel | None:
        """The panel of this number, if there is one."""
        return next((panel for panel in self.panels if panel.number == number), None)
