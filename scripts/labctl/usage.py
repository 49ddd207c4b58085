"""Click's own complaints, which take three lines, in the one line that every other failure has."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from labctl.config.values import did_you_mean, refuse, shown
from labctl.terminal.errors import BadInput

_TOO_MANY = re.compile(r"Got unexpected extra arguments? \((.*)\)")


def as_bad_input(error: click.ClickException, asked_for: str) -> BadInput:
    """The same complaint: what, what is allowed, and a hint. `asked_for` is the command, which click may not name."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else asked_for
    help_hint = f"{path} --help"
    match error:
        case click.exceptions.NoSuchCommand() if context is not None:
            known = _commands(context)
            name = error.command_name
            return refuse(
                f"COMMAND {shown(name)}", allowed=f"one of {', '.join(known)}", hint=did_you_mean(name, known)
            )
        case click.exceptions.NoArgsIsHelpError() if context is not None:
            known = _commands(context)
            return refuse(f"{path} without a command", allowed=f"one of {', '.join(known)}", hint=help_hint)
        case click.NoSuchOption():
            known = _options(context)
            return BadInput(
                f"option {error.option_name}: {path} has no such option; allowed: {', '.join(known)}",
                hint=did_you_mean(error.option_name, known),
            )
        case click.MissingParameter() if error.param is not None:
            return BadInput(f"{error.param.human_readable_name} is missing: {path} needs one", hint=help_hint)
    message = " ".join(error.format_message().split()).rstrip(".")
    if more := _TOO_MANY.fullmatch(message):
        return BadInput(f"argument {shown(more[1])}: {path} takes no more", hint=help_hint)
    return BadInput(message, hint=help_hint)


def command_path(group: click.Group, program: str, arguments: Sequence[str]) -> str:
    """The command that these arguments ask for, as far as there is one."""
    command: click.Command | None = group
    words = [program]
    for word in arguments:
        command = command.commands.get(word) if isinstance(command, click.Group) else None
        if command is None:
            break
        words.append(word)
    return " ".join(words)


def _commands(context: click.Context) -> list[str]:
    return context.command.list_commands(context) if isinstance(context.command, click.Group) else []


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    return [
        option
        for parameter in context.command.get_params(context)
        for option in parameter.opts
        if option.startswith("-")
    ]
