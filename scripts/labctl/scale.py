"""`--scale NAME.ROLE=N`: how many consumers and producers a pair gets, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterable

import click

from labctl.config import compose_file
from labctl.config.compose_file import Scale
from labctl.config.values import did_you_mean, refuse, shown, whole_number
from labctl.terminal.errors import BadInput

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
            raise refuse(what, allowed=_FORM, hint="./lab up --help shows examples")
        known = compose_file.declared()
        if mechanism not in known:
            raise refuse(what, allowed=f"one of {', '.join(known)} as NAME", hint=did_you_mean(mechanism, known))
        if role not in compose_file.ROLES:
            raise refuse(
                what, allowed=f"{' or '.join(compose_file.ROLES)} as ROLE", hint=did_you_mean(role, compose_file.ROLES)
            )
        return mechanism, role, whole_number(what, number, click.IntRange(1, MOST), "containers of that role")


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
            raise refuse(what, allowed=f"{mechanism}.{role} once", hint="leave one of them out")
        if mechanism not in running:
            asked_for = ", ".join(sorted(running))
            raise refuse(what, allowed=f"a pair of this command: {asked_for}", hint=f"name {mechanism} too")
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
            allowed=f"at most {consumers} types, one for each consumer",
            hint="messages of a type that nobody picks would fill the queue; one consumer alone takes all types",
        )


def _cannot_serve(what: str, mechanism: str, role: str, able: list[str]) -> BadInput:
    return refuse(
        what,
        allowed=f"one, because {mechanism} serves one {role} at a time",
        hint=f"several {role}s are served by {', '.join(able)}",
    )


def _able(role: str) -> list[str]:
    """The pairs whose mechanism serves several of a role."""
    from ipclab import mechanisms  # imports mechanisms, which most commands do not need

    fact = "many_senders" if role == "producer" else "many_receivers"
    return [name for name in compose_file.declared() if getattr(mechanisms.load(name).traits, fact)]
