"""The steady load of a producer: rate and size, changeable while it runs.

The environment says what the load is; a file on the producer's private volume overrides it, and is read
again whenever it changes. Nothing listens: changing the load takes the right to run a command in the
container. The file is replaced in one step, so a reader sees the old load or the new one.

Whether a pair's race takes its lock: changeable while it runs.

The environment says what it is (`LAB_SYNC`); a file on the consumer's private volume overrides it. Nothing
listens: changing it takes the right to run a command in the container.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from ipclab.runtime.settings import RATE, SIZE


@dataclass(frozen=True, slots=True)
class Load:
    """Messages per second, and bytes per message with its header."""

    rate: int
    size_bytes: int


class LoadFile:
    """The override, if there is one."""

    def __init__(self, path: Path, default: Load) -> None:
        self._path = path
        self._default = default
        self._seen = (0, 0)

    def current(self) -> Load:
        """The load that is wanted now. A file that holds none is named in the log, and counts as absent."""
        try:
            wanted = json.loads(self._path.read_text())
            return Load(
                rate=RATE.convert(wanted["rate"], None, None), size_bytes=SIZE.convert(wanted["size_bytes"], None, None)
            )
        except FileNotFoundError:
            return self._default
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError, click.BadParameter) as error:
            logging.getLogger("ipclab").warning("%s holds no load (%s); going on with the usual one", self._path, error)
            return self._default

    def changed(self) -> bool:
        """Has the file been written or removed since the last call?"""
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino)  # two writes may fall into one tick of the kernel's clock
        except FileNotFoundError:
            version = (0, 0)
        changed, self._seen = version != self._seen, version
        return changed

    def write(self, load: Load) -> None:
        """Override the load; a running producer takes it up within a fraction of a second."""
        spare = self._path.with_suffix(".new")
        spare.write_text(json.dumps(asdict(load)))
        spare.replace(self._path)

    def reset(self) -> None:
        """Go back to the environment's load."""
        self._path.unlink(missing_ok=True)


_WORDS = {"on": True, "off": False}


class SyncFile:
    """The override, if there is one."""

    def __init__(self, path: Path, *, default: bool) -> None:
        self._path = path
        self._default = default
        self._complaint = ""

    def current(self) -> bool:
        """What is wanted now. A file that says neither is named in the log, once, and counts as absent."""
        try:
            wanted = _WORDS[self._path.read_text().strip()]
        except FileNotFoundError:
            return self._default
        except (OSError, ValueError, KeyError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                logging.getLogger("ipclab").warning("%s says neither on nor off; going on as usual", self._path)
            return self._default
        self._complaint = ""
        return wanted

    def write(self, sync: bool) -> None:
        """Override; the running race takes it up between two rounds."""
        spare = self._path.with_name(f"{self._path.name}.new")
        spare.write_text("on" if sync else "off")
        spare.replace(self._path)

    def reset(self) -> None:
        """Go back to the environment's."""
        self._path.unlink(missing_ok=True)
