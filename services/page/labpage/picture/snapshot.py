"""Everything that the picture shows at one moment, as JSON: what is so, and where it is drawn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labpage.picture.layout import layout
from labpage.picture.state import Parts, pairs, second_host
from labpage.prometheus import Sample


def snapshot(parts: Parts) -> dict[str, Any]:
    """Everything that the picture shows, as JSON."""
    found = pairs(parts)
    trouble = None if found else "empty" if parts["scraped"] else "just_started"
    return {
        "trouble": trouble,
        "pairs": {pair.mechanism: asdict(pair) for pair in found},
        "layout": layout(found, second_host=second_host(parts)).as_json(),
        "holder": next((s.labels["ipc"] for s in parts["here"] if s.labels.get("role") == "holder"), ""),
        "second_host": second_host(parts),
        "dev_shm": {name: _only(parts[f"dev_shm_{name}"]) for name in ("used", "limit")},
    }


def _only(samples: list[Sample]) -> float | None:
    return samples[0].value if samples else None
