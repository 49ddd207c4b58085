"""Values that change while a container runs: the load of a producer, and the lock of a race.

The environment gives the default. A file on the container's private volume overrides it. No process listens for a
change: a change needs the right to run a command in the container. The file is replaced in one step, so a reader sees
the old value or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

import click

from ipclab.runtime.lifecycle import LogOnce
from ipclab.runtime.settings import BURST, ON_OFF, RATE, SIZE, check_burst

T = TypeVar("T")
LOAD_FILE = "load.json"  # in a producer's state directory
_INVALID = (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError, click.BadParameter)


class Override(Generic[T]):
    """One value: that of the file, or `default` while there is no file.

    :param what: the noun of the value, for the log
    :param parse: makes a value of the file's text; raises ValueError, TypeError, KeyError or click.BadParameter
    :param text: makes the file's text of a value
    """

    def __init__(
        self, path: Path, default: T, *, what: str, parse: Callable[[str], T], text: Callable[[T], str]
    ) -> None:
        self._path = path
        self._default = default
        self._what = what
        self._parse = parse
        self._text = text
        self._seen = (0, 0)
        self._warnings = LogOnce()

    def current(self) -> T:
        """The value now. An invalid file is logged once, and counts as absent."""
        try:
            value = self._parse(self._path.read_text())
        except FileNotFoundError:
            return self._default
        except _INVALID as error:
            self._warnings.warning(f"{self._path} holds no {self._what} ({error}); the environment's value applies")
            return self._default
        self._warnings.reset()
        return value

    def changed(self) -> bool:
        """Has the file been written or removed since the last call?"""
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino)  # two writes may fall into one tick of the kernel's clock
        except FileNotFoundError:
            version = (0, 0)
        changed, self._seen = version != self._seen, version
        return changed

    def write(self, value: T) -> None:
        """Override the default; the running container follows within a second.

        :raises OSError: the file cannot be written; the value stays
        """
        spare = self._path.with_name(f"{self._path.name}.new")
        spare.write_text(self._text(value))
        spare.replace(self._path)

    def reset(self) -> None:
        """Go back to the default.

        :raises OSError: the file cannot be removed
        """
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Load:
    """Messages per second, bytes per message with its header, and how many messages are due together."""

    rate: int
    size_bytes: int
    burst: int = 1

    def text(self) -> str:
        """The content of the producer's file."""
        return json.dumps(asdict(self))

    def in_words(self) -> str:
        """For a sentence."""
        bursts = f" in bursts of {self.burst}" if self.burst > 1 else ""
        return f"{self.rate} messages/s of {self.size_bytes} bytes{bursts}"


def load_override(path: Path, default: Load) -> Override[Load]:
    """The steady load of a producer."""
    return Override(path, default, what="load", parse=_parse_load, text=Load.text)


def lock_override(path: Path, *, default: bool) -> Override[bool]:
    """The lock of a race: True if the race takes it."""
    return Override(path, default, what="switch", parse=_parse_switch, text=lambda on: "on" if on else "off")


def _parse_load(text: str) -> Load:
    fields = json.loads(text)
    wanted = Load(
        RATE.convert(fields["rate"], None, None),
        SIZE.convert(fields["size_bytes"], None, None),
        BURST.convert(fields.get("burst", 1), None, None),
    )
    if problem := check_burst(wanted.rate, wanted.burst):
        raise ValueError(problem)
    return wanted


def _parse_switch(text: str) -> bool:
    word = text.strip()
    if word not in ON_OFF:
        raise ValueError(f"expected {' or '.join(ON_OFF)}")
    return word == "on"
