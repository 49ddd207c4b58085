"""Where the lab's files are on this machine."""

from __future__ import annotations

from pathlib import Path

# Not resolved: a tree of symbolic links (as the tests make) is a lab of its own, with its own `.env`.
ROOT = Path(__file__).absolute().parents[3]
COMPOSE_FILE = ROOT / "compose.yaml"
ENV_FILE = ROOT / ".env"


LOCALHOST = "127.0.0.1"
