"""Rows of `--describe`, and what an implementation says where its package is not installed."""

from __future__ import annotations

import importlib
from typing import Any


def optional(package: str) -> Any:
    """The package, or None where it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        return None


def absent(package: str) -> dict[str, Any]:
    """The document of `--describe` without `package`."""
    return {"absent": f"{package} is not in this image"}


def row(implementation: str, mechanism: str, requires: list[str], version: str, **more: Any) -> dict[str, Any]:
    """One row of `--describe`: all shapes, blocking, with copies, ordered and reliable; `more` says otherwise."""
    return {
        "implementation": implementation,
        "mechanism": mechanism,
        "requires": requires,
        "max_bytes": 1 << 20,
        "shapes": ["round-trip", "one-way", "burst"],
        "waits": ["block"],
        "copies": ["yes"],
        "ordered": True,
        "reliable": True,
        "together": False,
        "limit": False,
        "version": version,
        **more,
    }


def depth_of(size: int) -> int:
    """How many messages of `size` bytes may lie in a queue: two MiB of them, as in a ring of the lab; at most 1,000."""
    return max(2, min(1_000, (2 << 20) // size))
