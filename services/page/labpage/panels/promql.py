"""What Grafana does to a query before it is asked: the distance of its points, and the variables in it.

Sources: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ and roundInterval of
packages/grafana-data/src/datetime/rangeutil.ts
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from labpage.panels.definition import Dashboard, Panel, Variable

SCRAPED_EVERY_S = 1  # timeInterval of services/grafana/provisioning/datasources/prometheus.yml; a test compares
_PIXELS_A_COLUMN = 25  # a point for every other pixel of a screen of 1280
_MOST_POINTS = 11_000  # that Prometheus gives of a series
# Below the first of a pair, the second; in seconds.
_ROUNDED = (
    (1.5, 1),
    (3.5, 2),
    (7.5, 5),
    (12.5, 10),
    (17.5, 15),
    (25, 20),
    (45, 30),
    (90, 60),
    (210, 120),
    (450, 300),
    (750, 600),
    (1050, 900),
    (1500, 1200),
    (2700, 1800),
)
_NAMED = re.compile(r"\$\{([a-z_]\w*)(?::(\w+))?\}|\$([a-z_]\w*)")  # not $1, which is label_replace's


def step_s(panel: Panel, range_s: float) -> int:
    """The distance of two points of a panel: a round one, so that about as many fit as the panel wants."""
    points = panel.most_points or panel.place.width * _PIXELS_A_COLUMN
    exact = max(range_s / points, range_s / _MOST_POINTS, SCRAPED_EVERY_S)
    return next((rounded for below, rounded in _ROUNDED if exact < below), 3600)


def rate_interval_s(step: float) -> float:
    """The window of a rate: at least four scrapes, and no sample between two points is left out."""
    return max(step + SCRAPED_EVERY_S, 4 * SCRAPED_EVERY_S)


def filled_in(
    expr: str, chosen: Mapping[str, str], variables: Mapping[str, Variable], step: float, range_s: float
) -> str:
    """The query with all variables replaced.

    :param chosen: the text of each variable's choice
    :raises KeyError: the query has a variable that nobody knows
    """
    own = {
        "__rate_interval": f"{rate_interval_s(step):g}s",
        "__interval": f"{step:g}s",
        "__range": f"{range_s:g}s",
        "__range_s": f"{range_s:g}",
    }

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return own[name] if name in own else value_of(variables[name], chosen[name], found[2] or "")

    return _NAMED.sub(value, expr)


def value_of(variable: Variable, choice: str, form: str) -> str:
    """What a variable becomes: its text (`:text`), or its value."""
    if choice == ALL:
        return variable.all_value or ".*"
    if form == "text":
        return choice
    return next((option.value for option in variable.options if option.text == choice), choice)


def choices(board: Dashboard, asked: Mapping[str, str], offered: Mapping[str, list[str]]) -> dict[str, str]:
    """The choice of each variable: what was asked for if there is such an option, else the default."""
    made = {}
    for variable in board.variables:
        choice = asked.get(variable.name, "")
        known = offered[variable.name] + ([ALL] if variable.all_value else [])
        made[variable.name] = choice if choice in known else variable.default
    return made


ALL = "$__all"
