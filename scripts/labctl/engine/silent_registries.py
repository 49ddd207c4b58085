"""Which registries did not answer an engine a short while ago, so that each `./lab up` need not wait for them again.

A file of this user's cache (XDG Base Directory Specification), by the engine's own ID: what it says is forgotten after
ten minutes, and losing it costs one question.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from labctl.config.json_document import INVALID

ASKED_AGAIN_AFTER_S = 600


class SilentRegistries:
    """The registries that one engine got no image from, each with the time and the reason."""

    def __init__(self, engine_id: str, file: Path | None = None, now_s: float | None = None) -> None:
        """:param file: another place than the user's cache; :param now_s: seconds since 1970, where it is not now"""
        self._engine_id = engine_id
        self._file = file or _cache() / "silent-registries.json"
        self._now_s = time.time() if now_s is None else now_s

    def recent(self) -> dict[str, str]:
        """Registry to reason, of those that were silent less than ten minutes ago."""
        return {
            registry: str(reason)
            for registry, (asked_at_s, reason) in self._of_engine().items()
            if 0 <= self._now_s - asked_at_s < ASKED_AGAIN_AFTER_S
        }

    def remember(self, reasons: Iterable[tuple[str, str]]) -> None:
        """Write down registries that were silent just now; where that cannot be written, they are asked next time."""
        new = {registry: (self._now_s, reason) for registry, reason in reasons}
        if new:
            self._write(self._of_engine() | new)

    def forget(self, registry: str) -> None:
        """It has answered."""
        known = self._of_engine()
        if known.pop(registry, None):
            self._write(known)

    def _write(self, known: dict[str, tuple[float, str]]) -> None:
        everything = self._read() | {self._engine_id: known}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._file.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(everything), encoding="utf-8")
            unfinished.rename(self._file)

    def _of_engine(self) -> dict[str, tuple[float, str]]:
        return self._read().get(self._engine_id, {})

    def _read(self) -> dict[str, dict[str, tuple[float, str]]]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                str(engine): {str(registry): (float(at), str(why)) for registry, (at, why) in found.items()}
                for engine, found in known.items()
            }
        except (OSError, *INVALID):  # none yet, or not ours
            return {}


def _cache() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(folder) if Path(folder).is_absolute() else Path.home() / ".cache") / "ipclab"
