"""The types of arguments and options, and checks of their combinations. Nothing starts before all of them pass.

A wrong argument gets the same message as a wrong variable. `need_tools` comes last: `./lab` then installs the tools
that a command needs beyond those of the command line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import click

from ipclab.matrix.placement import Placement
from ipclab.runtime import settings
from labctl.config import compose_file
from labctl.config.compose_file import Scale
from labctl.config.values import did_you_mean, known_name, one_of, refuse, shown, whole_number
from labctl.terminal.errors import BadInput


class MechanismName(click.ParamType[str]):
    """A mechanism that has a pair in compose.yaml."""

    name = "mechanism"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: no pair is called so
        """
        del param, ctx
        return known_name(f"MECHANISM {shown(value)}", value, compose_file.declared())


mechanism_argument = click.argument("mechanism", metavar="MECHANISM", type=MechanismName())
mechanisms_argument = click.argument("mechanisms", metavar="[MECHANISM]...", nargs=-1, type=MechanismName())


take_over_option = click.option(
    "--take-over", is_flag=True, help="Also if another clone of the lab, in another folder, started it."
)


class PlacementName(click.ParamType[Placement]):
    """Where a probe stands."""

    name = "placement"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Placement:
        """The placement.

        :raises BadInput: none is called so
        """
        del param, ctx
        return Placement(known_name(f"PLACEMENT {shown(value)}", value, [str(place) for place in Placement]))


class WholeNumber(click.ParamType[int]):
    """An option whose limits are those of a setting."""

    name = "number"

    def __init__(self, setting: str) -> None:
        self._setting = settings.SETTINGS[setting]

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        :raises BadInput: it is none, or outside of the setting's limits
        """
        del ctx
        assert isinstance(self._setting.type, click.IntRange)
        assert param is not None
        text = str(value)
        return whole_number(f"{param.opts[0]} {shown(text)}", text, self._setting.type, self._setting.hint)


class OnOff(click.ParamType[str]):
    """On or off."""

    name = "on|off"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word itself.

        :raises BadInput: it is another
        """
        del ctx
        assert param is not None
        assert param.name is not None
        return one_of(f"{param.name.upper()} {shown(value)}", value, settings.ON_OFF, "in lower case")


class _Limited(click.ParamType[int]):
    """A whole number within the limits of a subclass."""

    _allowed: click.IntRange
    _unit: str

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        :raises BadInput: it is no such number
        """
        del ctx
        assert param is not None
        text = str(value)
        return whole_number(f"{param.opts[0]} {shown(text)}", text, self._allowed, self._unit)


class Seconds(_Limited):
    """A duration: a whole number of seconds, an hour at most."""

    name = "seconds"
    _allowed = click.IntRange(1, 3600)
    _unit = "seconds, without a unit"


class Lines(_Limited):
    """How many lines of a log."""

    name = "lines"
    _allowed = click.IntRange(1, 10_000)
    _unit = "lines of each container"


class Burst(_Limited):
    """How many messages are due together."""

    name = "number"
    _allowed = settings.BURST
    _unit = "messages that are due together"


def check_one_format(command: str, **formats: object) -> None:
    """What a command prints has one format.

    :raises BadInput: two were asked for
    """
    asked = [f"--{name}" for name, value in formats.items() if value]
    if len(asked) > 1:
        raise refuse(" with ".join(asked), expected="one of them", hint=f"./lab {command} {asked[0]}")


MOST = 8
_FORM = "NAME.ROLE=NUMBER, such as sysv_mq.consumer=3"


class ScaleOption(click.ParamType[tuple[str, str, int]]):
    """One `--scale`: mechanism, role, number."""

    name = "scale"

    def convert(
        self, value: str | tuple[str, str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, int]:
        """The three parts.

        :raises BadInput: one is wrong
        """
        del param, ctx
        if not isinstance(value, str):
            return value
        what = f"--scale {shown(value)}"
        target, equals, number = value.partition("=")
        mechanism, dot, role = target.partition(".")
        if not equals or not dot:
            raise refuse(what, expected=_FORM, hint="./lab up --help shows examples")
        known = compose_file.declared()
        if mechanism not in known:
            raise refuse(what, expected=f"one of {', '.join(known)} as NAME", hint=did_you_mean(mechanism, known))
        if role not in compose_file.ROLES:
            raise refuse(
                what, expected=f"{' or '.join(compose_file.ROLES)} as ROLE", hint=did_you_mean(role, compose_file.ROLES)
            )
        return mechanism, role, whole_number(what, number, click.IntRange(1, MOST), "number of containers of that role")


def check(asked: Iterable[tuple[str, str, int]], wanted: Iterable[str]) -> Scale:
    """What was asked, by service.

    :raises BadInput: twice for the same, for a pair that is not to run, or more than a mechanism can serve
    """
    found: dict[str, int] = {}
    running = set(wanted)
    for mechanism, role, number in asked:
        what = f"--scale {mechanism}.{role}={number}"
        service = compose_file.service_of(mechanism, role)
        if service in found:
            raise refuse(what, expected=f"{mechanism}.{role} once", hint="leave one of them out")
        if mechanism not in running:
            asked_for = ", ".join(sorted(running))
            raise refuse(what, expected=f"a pair of this command: {asked_for}", hint=f"name {mechanism} too")
        if number > 1 and mechanism not in (able := _able(role)):
            raise _cannot_serve(what, mechanism, role, able)
        found[service] = number
    return found


def check_types(scale: Scale, types: int) -> None:
    """Of several consumers of `sysv_mq` each picks one type, so every type needs one.

    :raises BadInput: there are more types than consumers
    """
    consumers = scale.get(compose_file.service_of("sysv_mq", "consumer"), 1)
    if 1 < consumers < types:
        raise refuse(
            f"LAB_SYSV_MQ_TYPES={types} with --scale sysv_mq.consumer={consumers}",
            expected=f"at most {consumers} types, one for each consumer",
            hint="messages of a type without a consumer fill the queue; a single consumer takes all types",
        )


def _cannot_serve(what: str, mechanism: str, role: str, able: list[str]) -> BadInput:
    return BadInput(
        f"{mechanism} serves one {role} at a time ({what})",
        hint=f"several {role}s are served by {', '.join(able)}",
    )


def _able(role: str) -> list[str]:
    """The pairs whose mechanism serves several of a role."""
    from ipclab import mechanisms  # imports mechanisms, which most commands do not need

    fact = "many_senders" if role == "producer" else "many_receivers"
    return [name for name in compose_file.declared() if getattr(mechanisms.load(name).traits, fact)]


GOOD_BUT_NO_TOOLS = 75  # to `./lab`, which then installs what is missing, and comes again


def need_tools() -> None:
    """Leave, once all arguments were found good, where `./lab` says that the command's tools are not there yet.

    :raises click.exceptions.Exit: with GOOD_BUT_NO_TOOLS
    """
    if os.environ.get("LABCTL_TOOLS") == "missing":
        raise click.exceptions.Exit(GOOD_BUT_NO_TOOLS)


_SECONDS = {"s": 1, "m": 60, "h": 3600}


_SHORTEST_S = 30  # below it there is no curve to see


_DURATION = re.compile(r"([1-9][0-9]{0,6})([smh])")


class Since(click.ParamType[int]):
    """A duration as Prometheus writes it, not longer than Prometheus keeps."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds.

        :raises BadInput: the value is not a duration, too short for a curve, or longer than Prometheus keeps
        """
        del ctx
        assert param is not None
        text = str(value)
        kept = retention()
        seconds = seconds_of(text)
        if seconds is None or not _SHORTEST_S <= seconds <= (seconds_of(kept) or 0):
            raise refuse(
                f"{param.opts[0]} {shown(text)}",
                expected=f"a duration from {_SHORTEST_S}s to {kept}, the time that Prometheus keeps",
                hint="a whole number and s, m or h: --since 15m",
            )
        return seconds


def is_possible(path: Path) -> bool:
    """Whether a file can be called so: no name that is too long, no loop of links.

    From Python 3.14 on, Path.exists() says no more of such a name than that it is not there.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return True
    except (OSError, ValueError):
        return False
    return True


class OutputFolder(click.ParamType[Path]):
    """A folder that exists and can be written to, or that can be made."""

    name = "folder"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder, which may not be there yet.

        :raises BadInput: the path is not a folder, or not writable
        """
        del ctx
        assert param is not None
        what, path = f"{param.opts[0]} {shown(str(value))}", Path(value)
        good = bool(str(value).strip()) and is_possible(path)
        if good:
            existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
            good = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
        if not good:
            raise refuse(
                what, expected="a folder that you may write to, or the name of a new one", hint="--output report"
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
