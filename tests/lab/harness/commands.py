"""The commands of a page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path


def commands(page: Path) -> list[list[str]]:
    """The lines of the page's `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]
