"""Tools that a command needs beyond the command line's own, installed by `./lab` once its arguments were found good."""

from __future__ import annotations

import os

import click

GOOD_BUT_NO_TOOLS = 75  # to `./lab`, which then installs what is missing, and comes again


def need_tools() -> None:
    """Leave, once all arguments were found good, where `./lab` says that the command's tools are not there yet.

    :raises click.exceptions.Exit: with GOOD_BUT_NO_TOOLS
    """
    if os.environ.get("LABCTL_TOOLS") == "missing":
        raise click.exceptions.Exit(GOOD_BUT_NO_TOOLS)
