"""README's times by size are those of docs/bench.json, which the sheets show too."""

from __future__ import annotations

import json
import re
from pathlib import Path

from labctl.experiments.bench import table

ROOT = Path(__file__).resolve().parents[3]


def test_the_times_are_those_of_the_bench_that_is_kept() -> None:
    kept = json.loads((ROOT / "docs" / "bench.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"docs/bench\.json -->\n\n(.*?)\n\n<!-- The end of the bench", readme, re.DOTALL)
    assert shown.splitlines() == [line for line in table.by_size(kept, touched=True) if line]
    assert kept["at"][:10] in readme
    assert f"Python {kept['machine']['python']}" in readme
