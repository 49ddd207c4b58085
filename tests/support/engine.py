"""A server that answers as a Docker Engine does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.json_server import json_server


@contextmanager
def engine_that_says(document: Any) -> Iterator[str]:
    """Another machine's engine, or whatever it is; its address."""
    with json_server(lambda _: (200, document)) as port:
        yield f"tcp://127.0.0.1:{port}"
