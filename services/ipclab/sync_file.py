"""Whether a pair's race takes its lock: changeable while it runs.

The environment says what it is (`LAB_SYNC`); a file on the consumer's private volume overrides it. Nothing
listens: changing it takes the right to run a command in the container.
"""

from __future__ import annotations

import logging
from pathlib import Path

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
