"""The last comparisons of a project: what `./lab speedup` measured, kept for the exercises, which judge by it.

$XDG_STATE_HOME/ipclab/speedups/PROJECT.json, beside the progress of the exercises; an exercise sees what is newer than
its own start.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from labctl.config.json_document import INVALID, made_of
from labctl.config.values import shown
from labctl.experiments.speedup.results import Comparison
from labctl.terminal.errors import LabError

SCHEMA = 1
_MOST = 50


@dataclass(frozen=True)
class Kept:
    """One comparison. `at` is its end, in seconds since 1970; the other times are medians, as in `Comparison`."""

    at: float
    mechanism: str
    limit: int
    chunks: int
    workers: int
    cpus: int
    rounds: int
    speedup: float
    parallel_fraction: float | None  # None with one worker
    computing_s: float
    moving_s: float


def keep(project: str, mechanism: str, limit: int, chunks: int, found: Sequence[Comparison], at: float) -> None:
    """Add comparisons to those of the project; the oldest go.

    :raises LabError: they cannot be written
    """
    new = [
        Kept(
            at=at,
            mechanism=mechanism,
            limit=limit,
            chunks=chunks,
            workers=comparison.workers,
            cpus=comparison.cpus,
            rounds=len(comparison.rounds),
            speedup=comparison.speedup,
            parallel_fraction=comparison.parallel_fraction,
            computing_s=comparison.computing_s,
            moving_s=comparison.moving_s,
        )
        for comparison in found
    ]
    path = path_of(project)
    document = {"schema": SCHEMA, "comparisons": [asdict(kept) for kept in [*read(project), *new][-_MOST:]]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, spare = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        Path(spare).replace(path)
    except OSError as error:
        raise LabError(
            f"the comparison cannot be kept in {path}: {error.strerror}", hint="XDG_STATE_HOME names another folder"
        ) from error


def read(project: str) -> list[Kept]:
    """The comparisons of a project, the oldest first; none where there is no file.

    :raises LabError: the file is no such file
    """
    path = path_of(project)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise LabError(
                f"{path} has schema {shown(str(document['schema']))}, expected {SCHEMA}",
                hint="another version of the lab wrote it",
            )
        return [made_of(Kept, kept) for kept in document["comparisons"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}", hint="check who owns it") from error
    except INVALID as error:
        raise LabError(f"{path} has no comparisons", hint="remove it; ./lab speedup begins anew") from error


def path_of(project: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The file of a project, where the XDG Base Directory Specification has what outlives a program."""
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "ipclab" / "speedups" / f"{project}.json"
