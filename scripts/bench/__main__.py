"""`./lab bench footprint` and `instrumentation`: print what the lab costs on this machine."""

from __future__ import annotations

import sys

import click

from bench import footprint, instrumentation
from ipclab.contract.errors import ChannelError
from labctl.terminal.encoding import accept_every_character
from labctl.terminal.errors import LabError

PARTS = ("footprint", "instrumentation")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--cold", is_flag=True, help="Also time a start without images: removes the lab's, and the build cache.")
def main(parts: tuple[str, ...], cold: bool) -> None:
    """Measure the parts named; without a name, start, memory, CPU, and the cost of instrumentation."""
    for part in parts or PARTS:
        lines = footprint.report(cold=cold) if part == "footprint" else instrumentation.report()
        sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    accept_every_character()
    try:
        main()
    except (LabError, ChannelError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
