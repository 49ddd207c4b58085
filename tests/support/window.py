"""A window of few notes for the ledgers of several consumers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ipclab.accounting import shared

BLOCKS = 72


@contextmanager
def small_window() -> Iterator[None]:
    """A window of 512 numbers."""
    with patch.object(shared, "BLOCKS", BLOCKS), patch.object(shared, "VALID", BLOCKS - 64):
        yield
