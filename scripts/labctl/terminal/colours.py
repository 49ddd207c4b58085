"""The mechanisms' colours, as the dashboards have them: their module is read without the SDK that its package needs."""

from __future__ import annotations

import runpy
from pathlib import Path

_COLOURS = runpy.run_path(str(Path(__file__).resolve().parents[3] / "dashboards" / "colours.py"))


def of_mechanism(name: str) -> str:
    """`#RRGGBB`, the same on every panel, plot and line."""
    return str(_COLOURS["of_mechanism"](name))
