"""The check of the dashboards through Grafana: every dashboard is loaded, and every panel has data.

A panel is asked the way Grafana asks it: by its data source, its queries and its variables.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labctl.grafana.client import Grafana
from labctl.terminal.errors import LabError

WINDOW_S = 300  # how far back the dashboards look
_STEP_S = 1  # the distance of two points on a screen, and of two scrapes
# https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables: at least four scrapes.
_BUILT_IN = {
    "__rate_interval": f"{4 * _STEP_S}s",
    "__interval": f"{_STEP_S}s",
    "__range": f"{WINDOW_S}s",
    "__range_s": str(WINDOW_S),
}
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+(?::text)?)(?::\w+)?\})")
_LABEL_VALUES = re.compile(r"label_values\(\s*(?:(?P<series>.+?)\s*,\s*)?(?P<label>\w+)\s*\)")


@dataclass(frozen=True)
class Answer:
    """What one query of a panel gave: series of Prometheus, as its HTTP API writes them."""

    target: Mapping[str, Any]
    series: list[dict[str, Any]]


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels that ask for data, those in collapsed rows too."""
    for panel in dashboard.get("panels", []):
        if panel.get("targets"):
            yield panel
        yield from panels(panel)


def variables(grafana: Grafana, dashboard: Mapping[str, Any]) -> dict[str, str]:
    """A value for each variable: what is chosen; else, as a browser does, the first that there is.

    Under "NAME:text" stands what a person sees of it, which Grafana puts in for `${NAME:text}`.
    """
    found: dict[str, str] = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        value = (variable.get("current") or {}).get("value")
        if isinstance(value, list):
            value = "$__all" if "$__all" in value else "|".join(value)
        if value == "$__all":
            value = variable.get("allValue") or ".*"
        if not value and variable.get("type") == "query":
            value = _first(grafana, variable, found)
        found[variable["name"]] = str(value or "")
        if (text := (variable.get("current") or {}).get("text")) is not None:
            found[f"{variable['name']}:text"] = str(text)
    return found


def ask(grafana: Grafana, panel: Mapping[str, Any], values: Mapping[str, str], now: float) -> list[Answer]:
    """The answer to each of the panel's queries.

    :raises LabError: Grafana or its data source refuses one
    """
    answers = []
    for target in panel["targets"]:
        query = interpolate(target["expr"], values)
        if target.get("instant") and not target.get("range"):
            data = grafana.ask_data_source("query", query=query, time=now)
        else:
            data = grafana.ask_data_source(
                "query_range", query=query, start=now - WINDOW_S, end=now, step=f"{_STEP_S}s"
            )
        answers.append(Answer(target, data["result"]))
    return answers


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """`text` with Grafana's variables put in; what is no variable stays."""
    known = {**_BUILT_IN, **values}
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), text)


def _first(grafana: Grafana, variable: Mapping[str, Any], known: Mapping[str, str]) -> str:
    query = variable.get("query", "")
    text = query.get("query", "") if isinstance(query, dict) else str(query)
    match = _LABEL_VALUES.fullmatch(text.strip())
    if match is None:
        return ""
    selector = interpolate(match["series"] or f'{{{match["label"]}!=""}}', known)
    series = grafana.ask_data_source("query", query=f"count by ({match['label']}) ({selector})")["result"]
    return min((entry["metric"].get(match["label"], "") for entry in series), default="")


def missing(grafana: Grafana, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted that Grafana has not loaded."""
    loaded = grafana.dashboards()
    return {uid: title for uid, title in wanted.items() if uid not in loaded}


def require_data(grafana: Grafana) -> None:
    """Ask Grafana's data source for what needs no data, so that its silence is said once and not of every panel.

    :raises LabError: it does not answer
    """
    try:
        grafana.ask_data_source("query", query="vector(1)", time=time.time())
    except LabError as error:
        raise LabError(
            f"Prometheus does not answer Grafana: {error.message}", hint="./lab status shows its state"
        ) from error


def empty_panels(grafana: Grafana, uid: str) -> tuple[int, list[str]]:
    """How many panels of a dashboard ask for data, and the titles of those that get none from any of their queries."""
    dashboard = grafana.dashboard(uid)
    values = variables(grafana, dashboard)
    now = time.time()
    asked, empty = 0, []
    for panel in panels(dashboard):
        asked += 1
        try:
            has_data = any(answer.series for answer in ask(grafana, panel, values, now))
        except LabError as error:
            empty.append(f"{panel['title']} ({error.message})")
            continue
        if not has_data:
            empty.append(panel["title"])
    return asked, empty
