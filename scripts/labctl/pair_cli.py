"""What changes a running pair: `./lab load`, `sync`, `place`."""

from __future__ import annotations

import click

from ipclab.matrix.placement import Placement
from labctl.arguments import OnOff, PlacementName, WholeNumber, mechanism_argument
from labctl.config.configuration import Configuration
from labctl.load_arguments import check_load_options
from labctl.place_arguments import check_place_options
from labctl.sync_arguments import check_sync_options


@click.command(short_help="Change rate or size of a running pair.")
@mechanism_argument
@click.option("--rate", type=WholeNumber("LAB_RATE"), metavar="N", help="Messages per second.")
@click.option("--size", type=WholeNumber("LAB_SIZE"), metavar="BYTES", help="Bytes of each message, header included.")
@click.option("--reset", is_flag=True, help="Go back to the LAB_RATE and LAB_SIZE the pair was started with.")
def load(mechanism: str, rate: int | None, size: int | None, reset: bool) -> None:
    """Change the load of a running pair without restarting it, and print its row under the new load.

    An option that is not given leaves its part of the load as it is.

    \b
      ./lab load fifo --rate 2000 --size 4096
      ./lab load fifo --size 64
      ./lab load fifo --reset
    """
    check_load_options(mechanism, rate, size, reset)
    configuration = Configuration.load()

    from labctl.commands.load import change_load

    change_load(configuration, mechanism, rate, size, reset)


@click.command(short_help="Switch the lock of a running pair's shared words.")
@mechanism_argument
@click.argument("state", metavar="[on|off]", type=OnOff(), required=False)
@click.option("--reset", is_flag=True, help="Go back to the LAB_SYNC the pair was started with.")
def sync(mechanism: str, state: str | None, reset: bool) -> None:
    """Switch the lock around what both sides of a pair change, and print what that costs.

    Once a second both sides change a counter and a record that they share. With the lock, nothing is lost;
    without it the same code loses updates and reads torn records, which are counted. Messages go on as ever.

    \b
      ./lab sync sysv_shm off
      ./lab sync sysv_shm on
      ./lab sync sysv_shm --reset
    """
    check_sync_options(mechanism, state, reset)
    configuration = Configuration.load()

    from labctl.commands.sync import change_sync

    change_sync(configuration, mechanism, None if reset else state == "on")


@click.command(short_help="Move the consumer of a pair apart from its producer, live, and back.")
@mechanism_argument
@click.argument("placement", metavar="[PLACEMENT]", type=PlacementName(), required=False)
@click.option("--back", is_flag=True, help="Move it back to where it was.")
def place(mechanism: str, placement: Placement | None, back: bool) -> None:
    """Move the consumer of a running pair to another placement, and show what arrives there.

    It takes its books with it, so every sequence number stays accounted for, there and back. `./lab up` puts back
    whoever is elsewhere. second_host needs `./lab hosts up`.

    \b
      ./lab place sysv_shm shared_network
      ./lab place tcp second_host
      ./lab place tcp --back
    """
    check_place_options(mechanism, placement, back)
    configuration = Configuration.load()

    from labctl.place import place as move_consumer
    from labctl.place import put_back

    if placement:
        move_consumer(configuration, mechanism, placement)
    else:
        put_back(configuration, mechanism)
