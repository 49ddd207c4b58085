"""From the arguments to the exit code: every failure is one line and never a traceback.

Click's usage errors, which take three lines, get the same one line as every other failure.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from labctl.cli import cli
from labctl.config.values import did_you_mean, refuse, shown
from labctl.terminal.encoding import accept_every_character
from labctl.terminal.errors import BadInput, LabError, Silent, failed
from labctl.terminal.signals import Terminated, raise_when_terminated

_TOO_MANY = re.compile(r"Got unexpected extra arguments? \((.*)\)")


def as_bad_input(error: click.ClickException, asked_for: str) -> BadInput:
    """The same complaint in the lab's form: the value, what is expected, and a hint.

    :param asked_for: the command, which click may not name
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else asked_for
    help_hint = f"{path} --help"
    match error:
        case click.exceptions.NoSuchCommand() if context is not None:
            known = _commands(context)
            name = error.command_name
            return refuse(
                f"COMMAND {shown(name)}", expected=f"one of {', '.join(known)}", hint=did_you_mean(name, known)
            )
        case click.exceptions.NoArgsIsHelpError() if context is not None:
            known = _commands(context)
            return refuse(f"{path} without a command", expected=f"one of {', '.join(known)}", hint=help_hint)
        case click.NoSuchOption():
            known = _options(context)
            return BadInput(
                f"option {error.option_name}: {path} has no such option; expected one of {', '.join(known)}",
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
    """The commands to choose from; old names are hidden."""
    group = context.command
    if not isinstance(group, click.Group):
        return []
    return [name for name in group.list_commands(context) if not group.commands[name].hidden]


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    return [
        option
        for parameter in context.command.get_params(context)
        for option in parameter.opts
        if option.startswith("-")
    ]


PROGRAM = "./lab"
_SIGNALLED = 128  # and the signal's number, as a shell would say
_MISTAKE = 70  # EX_SOFTWARE of sysexits(3)
_TRACEBACK = "LABCTL_TRACEBACK"
_WHAT_RUNS = "hint: ./lab status --containers shows what runs, ./lab down removes it"


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    accept_every_character()
    raise_when_terminated()
    try:
        with cli.make_context(PROGRAM, list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.ClickException as error:
        return _fail(as_bad_input(error, command_path(cli, PROGRAM, arguments)))
    except LabError as error:
        return _fail(_cause(error))
    except Terminated as signalled:
        sys.stderr.write(f"error: ended by {signalled} ({_WHAT_RUNS})\n")
        return _SIGNALLED + signalled.number
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write(f"error: interrupted ({_WHAT_RUNS})\n")
        return _SIGNALLED + signal.SIGINT
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _engine_errors() as error:
        return _fail(failed(_in_one_line(error), hint="./lab doctor looks for the cause"))
    except OSError as error:
        return _fail(LabError(_failed_call(error), hint=f"look at what is named there; {_TRACEBACK}=1 shows where"))
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        sys.stderr.write(f"error: a mistake in the lab itself, {_where(error)} (hint: {_TRACEBACK}=1 shows more)\n")
        return _MISTAKE
    return 0


def _cause(error: LabError) -> LabError:
    """Without an engine nothing of the lab answers at any port, and the engine is what is wrong."""
    if isinstance(error, Silent):
        from labctl.engine import engine

        try:
            engine.usable()
        except LabError as without_engine:
            return without_engine
    return error


def _fail(error: LabError) -> int:
    sys.stderr.write(f"error: {error}\n")
    return error.exit_code


def _engine_errors() -> tuple[type[Exception], ...]:
    """What the Docker SDK and the HTTP client raise. Python asks only when something was raised."""
    from docker.errors import DockerException
    from requests import RequestException

    return DockerException, RequestException


def _in_one_line(error: BaseException) -> str:
    what = getattr(error, "explanation", None) or str(error)
    return f"the Docker Engine failed: {' '.join(str(what).split())}"


def _failed_call(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''} ({name})"


def _where(error: Exception) -> str:
    """The exception in one line, and the line of ours that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{place}: {type(error).__name__}: {' '.join(str(error).split())}"
