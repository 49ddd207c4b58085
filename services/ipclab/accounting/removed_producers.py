"""The counts of removed producers: one producer of the channel adds them to its own.

`./lab up` writes the file when it removes producers, so the counts of a channel never fall.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample

FILE = "removed_producers.json"


def parse(content: bytes) -> dict[int, tuple[int, int]]:
    """Identity to messages sent and messages skipped.

    :raises ValueError: it is something else
    """
    try:
        return {int(identity): (int(sent), int(skipped)) for identity, (sent, skipped) in json.loads(content).items()}
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"it lists no producers: {error}") from error


def with_removed_producers(samples: Iterable[Sample], file: Path) -> Iterable[Sample]:
    """The producer's samples, the counts of those in the file included."""
    try:
        removed = list(parse(file.read_bytes()).values())
    except (OSError, ValueError):  # there is none; it is being written
        removed = []
    more = {metrics.SENT.name: sum(sent for sent, _ in removed), metrics.SKIPPED.name: sum(n for _, n in removed)}
    for sample in samples:
        extra = more.get(sample.definition.name, 0)
        yield replace(sample, value=sample.value + extra) if extra and isinstance(sample.value, int) else sample
