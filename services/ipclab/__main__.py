"""`python -m ipclab`: one image, the role is chosen by command.

Exit codes: 0 stopped on request; 1 the role cannot work here; 2 a bad option; 75 left in an old namespace.
"""

from __future__ import annotations

import importlib
import sys

import click

from ipclab.accounting.ledger import LedgerError
from ipclab.contract.errors import ChannelError, in_one_line

# Where each command is. Only the module of the command that runs is imported: every container of the lab has one role.
_COMMANDS = {
    "producer": "ipclab.roles.producer:producer",
    "consumer": "ipclab.roles.consumer:consumer",
    "holder": "ipclab.roles.holder:holder",
    "kernel": "ipclab.roles.kernel:kernel",
    "responder": "ipclab.roles.responder:responder",
    "probe": "ipclab.roles.probe:probe",
    "fork": "ipclab.roles.tools:fork",
    "lock": "ipclab.roles.tools:lock",
    "fault": "ipclab.roles.fault:fault",
    "fault-act": "ipclab.roles.fault:act",
    "bench-agent": "ipclab.roles.tools:bench_agent",
    "speedup-coordinator": "ipclab.speedup.roles:coordinator",
    "speedup-worker": "ipclab.speedup.roles:worker",
    "student-child": "ipclab.student.roles:child",
    "student-ledger": "ipclab.student.roles:ledger",
    "student-racer": "ipclab.student.roles:race",
}


class _Roles(click.Group):
    """A group that imports a command when it is run (the pattern "lazily loading subcommands" of click's pages)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Roles)
def cli() -> None:
    """The roles of the lab's containers."""


def main() -> None:
    """Run the command; every error of use ends in one line."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(2)
    except ChannelError as error:
        click.echo(f"error: {error.explained()}", err=True)
        sys.exit(1)
    except LedgerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"error: {in_one_line(error)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
