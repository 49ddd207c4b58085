"""What docs/SECURITY.md says of the engines in containers."""

from __future__ import annotations

import re

from labctl.config.paths import ROOT

_CAPABILITY = re.compile(r"^\| ([A-Z_]+) \|", re.MULTILINE)


def capabilities_of_engines() -> list[str]:
    """Those that the table of the engines' rights has, in its order."""
    return _CAPABILITY.findall((ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8"))
