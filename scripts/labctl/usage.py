"""Click's own complaints, which take three lines, in the one line that every other failure has."""

from __future__ import annotations

import click

from labctl.errors import BadInput
from labctl.values import did_you_mean, refuse, shown


def as_bad_input(error: click.ClickException) -> BadInput:
    """The same complaint: what, what is allowed, and a hint."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "./lab"
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
    return BadInput(" ".join(error.format_message().split()).rstrip("."), hint=help_hint)


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
