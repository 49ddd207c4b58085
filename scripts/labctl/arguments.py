"""The command line's own types: a wrong argument is refused in the same words as a wrong variable."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import click

from ipclab.matrix.placement import Placement
from ipclab.runtime import settings
from labctl.config import compose_file
from labctl.config.values import known_name, one_of, refuse, shown, whole_number
from labctl.terminal.errors import LabError


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


class Seconds(click.ParamType[int]):
    """A duration: a whole number of seconds, an hour at most."""

    name = "seconds"
    _allowed = click.IntRange(1, 3600)

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds.

        :raises BadInput: it is no such number
        """
        del ctx
        assert param is not None
        text = str(value)
        return whole_number(f"{param.opts[0]} {shown(text)}", text, self._allowed, "seconds, without a unit")


class BenchName(click.ParamType[str]):
    """What `./lab bench` measures."""

    name = "bench"
    _known = ("footprint", "instrumentation", "speed", "plain_file")

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: nothing that is measured is called so
        """
        del param, ctx
        return known_name(f"bench {shown(value)}", value, self._known)


def check_one_format(command: str, **formats: object) -> None:
    """What a command prints has one format.

    :raises BadInput: two were asked for
    """
    asked = [f"--{name}" for name, value in formats.items() if value]
    if len(asked) > 1:
        raise refuse(" with ".join(asked), allowed="one of them", hint=f"./lab {command} {asked[0]}")


def check_status_options(mechanism: str | None, sections: Mapping[str, bool], as_json: bool) -> None:
    """`./lab status` shows one pair, or sections, or the whole document.

    :raises BadInput: two of them were asked for
    """
    asked = [f"--{name}" for name, wanted in sections.items() if wanted]
    ways = [
        *([mechanism] if mechanism else []),
        *([" ".join(asked)] if asked else []),
        *(["--json"] if as_json else []),
    ]
    if len(ways) > 1:
        hint = f"./lab status {ways[0]}; --json has all of it" if as_json else f"./lab status {ways[0]}"
        raise refuse(f"status {' '.join(ways)}", allowed="a MECHANISM, or sections, or --json", hint=hint)


def check_bench_options(what: str | None, cold: bool, as_json: bool) -> None:
    """An option of `./lab bench` must belong to what is measured, and that must be possible here.

    :raises BadInput: it would change nothing
    :raises LabError: it needs Linux
    """
    if cold and what not in (None, "footprint"):
        raise refuse(f"--cold with {what}", allowed="--cold with footprint", hint="./lab bench footprint --cold")
    system = platform.system()
    if what not in (None, "footprint") and system != "Linux":
        raise LabError(
            f"bench {what} makes system calls of Linux, and this is {system}",
            hint="./lab bench footprint measures the lab here; the containers have a Linux",
        )
    if as_json and what != "speed":
        raise refuse(f"--json with {what or 'no name'}", allowed="--json with speed", hint="./lab bench speed --json")
