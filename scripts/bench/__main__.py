"""`./lab bench`: print what the lab costs on this machine, and how fast the mechanisms are."""

from __future__ import annotations

import sys

import click

from bench import footprint, instrumentation, plain_file, speed
from ipclab.contract.errors import ChannelError
from labctl.terminal.encoding import accept_every_character
from labctl.terminal.errors import LabError

PARTS = ("footprint", "instrumentation", "speed", "plain_file")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--cold", is_flag=True, help="Also time a start without images: removes the lab's, and the build cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (speed).")
def main(parts: tuple[str, ...], cold: bool, as_json: bool) -> None:
    """Measure the parts named; without a name, start, memory, CPU, and the cost of instrumentation."""
    for part in parts or PARTS[:2]:
        match part:
            case "footprint":
                lines = footprint.report(cold=cold)
            case "instrumentation":
                lines = instrumentation.report()
            case "plain_file":
                lines = plain_file.report()
            case _:
                lines = speed.report(as_json=as_json)
        sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    accept_every_character()
    try:
        main()
    except (LabError, ChannelError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
