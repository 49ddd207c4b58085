"""The dashboards that the lab ships, by the name of their file: what `./lab open` is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click

from labctl.config.paths import ROOT
from labctl.config.values import known_name, shown

PAGE = "page"  # no dashboard: what is opened where there is no Grafana
JSON = ROOT / "dashboards" / "json"


@dataclass(frozen=True)
class Shipped:
    """One dashboard."""

    name: str  # its file, without .json
    uid: str
    title: str


def shipped(folder: Path = JSON) -> list[Shipped]:
    """All of them, by name."""
    documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    return [Shipped(name, document["uid"], document["title"]) for name, document in documents.items()]


class DashboardName(click.ParamType[str]):
    """The name of a dashboard, or `PAGE`."""

    name = "dashboard"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: no dashboard is called so
        """
        del param, ctx
        return known_name(
            f"DASHBOARD {shown(value)}", value, [PAGE, *(path.stem for path in sorted(JSON.glob("*.json")))]
        )
