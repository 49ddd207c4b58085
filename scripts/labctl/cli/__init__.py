"""The command line `./lab`: the commands are declared in this room; their work is in `labctl.commands` and below."""

from __future__ import annotations

import click

from labctl.cli.about import help_, version
from labctl.cli.bench import bench
from labctl.cli.bundle import bundle_
from labctl.cli.classroom import class_
from labctl.cli.comparison import matrix, mechanisms, speedup
from labctl.cli.exercise import exercise_
from labctl.cli.fault import fault_
from labctl.cli.hosts import hosts
from labctl.cli.kube import kube
from labctl.cli.lifecycle import down, reset, up
from labctl.cli.pair import load, lock, place, sync
from labctl.cli.soak import soak
from labctl.cli.swarm import swarm
from labctl.cli.tools import dashboards, doctor, test
from labctl.cli.views import fork, logs, open_, report, status, watch

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


# Each command checks its input first, and only then imports the module that acts on it: Docker's SDK and rich
# take longer to load than most bad input takes to refuse.
@click.group(context_settings=_CONTEXT, invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run pairs of containers that talk through shared memory, files, pipes, message queues and sockets,
    under live load, and measure every message.

    \b
      ./lab up                  start everything, and print the measurements
      ./lab status              print the measurements again
      ./lab load fifo --rate 2000 --size 4096
      ./lab help load           the same as ./lab load --help
      ./lab down                remove everything

    Settings are in .env; a variable exported in the shell wins. Exit codes: 0 success, 1 failure,
    2 bad input (nothing was changed), 130 interrupted, 143 terminated.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    *(up, down, reset),
    *(status, watch, logs, fork, report, open_),
    *(load, lock, sync, place),
    *(mechanisms, matrix, speedup),
    exercise_,
    *(fault_, soak),
    class_,
    bundle_,
    *(hosts, swarm, kube),
    *(doctor, test, bench, dashboards),
    *(version, help_),
):
    cli.add_command(command)
