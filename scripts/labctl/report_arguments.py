"""What `./lab report` is given: how far back, and where to."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from labctl.config import compose_file
from labctl.config.values import refuse, shown

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SHORTEST_S = 30  # below it there is no curve to see
_DURATION = re.compile(r"([1-9][0-9]{0,6})([smh])")


class Since(click.ParamType[int]):
    """A duration as Prometheus writes it, not longer than Prometheus keeps."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds.

        :raises BadInput: it is no duration, too short to see anything, or longer than what is kept
        """
        del ctx
        assert param is not None
        text = str(value)
        kept = retention()
        seconds = seconds_of(text)
        if seconds is None or not _SHORTEST_S <= seconds <= (seconds_of(kept) or 0):
            raise refuse(
                f"{param.opts[0]} {shown(text)}",
                allowed=f"a duration from {_SHORTEST_S}s to {kept}, which is how long Prometheus keeps",
                hint="a whole number and s, m or h: --since 15m",
            )
        return seconds


class OutputFolder(click.ParamType[Path]):
    """A folder that exists and can be written to, or that can be made."""

    name = "folder"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder, which may not be there yet.

        :raises BadInput: it is no folder, or nothing can be written there
        """
        del ctx
        assert param is not None
        what, path = f"{param.opts[0]} {shown(str(value))}", Path(value)
        try:
            there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
            good = bool(str(value).strip()) and there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        except OSError:  # a name that no filesystem takes: too long, or a loop of links
            good = False
        if not good:
            raise refuse(
                what, allowed="a folder that you may write to, or one to be made there", hint="--output report"
            )
        return path


def seconds_of(text: str) -> int | None:
    """The seconds of `15m`; None for what is no duration."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match else None


def retention() -> str:
    """How long this lab's Prometheus keeps what it stored, as compose.yaml says."""
    option = "--storage.tsdb.retention.time="
    command = compose_file.service("prometheus")["command"]
    return next(str(word).removeprefix(option) for word in command if str(word).startswith(option))
