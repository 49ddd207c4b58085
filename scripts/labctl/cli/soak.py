"""`./lab soak`: its options and its help."""

from __future__ import annotations

from pathlib import Path

import click

from labctl.cli.comparison import Within
from labctl.cli.types import OutputFolder
from labctl.config.configuration import Configuration
from labctl.lab.project_lock import changing

_MINUTES = Within(click.IntRange(1, 1440), "whole minutes")
_SEED = Within(click.IntRange(0, 999_999), "the seed that an earlier soak named")


@click.command(short_help="Break the pairs at random under load, and audit every message.")
@click.option("--minutes", type=_MINUTES, default=30, show_default=True, metavar="N", help="Length of the soak.")
@click.option("--seed", type=_SEED, metavar="N", help="Repeat the plan of an earlier soak. Without: a new one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every fault, loss, slope and finding.")
@click.option(
    "--output",
    "folder",
    type=OutputFolder(),
    default="soak",
    show_default=True,
    metavar="DIR",
    help="Folder of the report.",
)
def soak(minutes: int, seed: int | None, as_json: bool, folder: Path) -> None:
    """Break the running pairs at random, two faults at a time at most, and audit every message at the end.

    Every sequence number must be received, counted as duplicate, or lost for a reason of a fault that was on. What the
    engine and the kernel hold must be as before, and no container's memory or descriptors may grow. The report names
    the seed, which repeats the plan. Exit code 1 if anything is wrong. Ctrl-C puts every fault back.

    \b
      ./lab soak --minutes 5
      ./lab soak --minutes 30 --seed 4711
      ./lab soak --minutes 5 --json | jq '.findings'
    """
    configuration = Configuration.load()

    from labctl.commands.soak import soak as run
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab soak"):
        run(Lab(configuration), minutes, seed, folder, as_json=as_json)
