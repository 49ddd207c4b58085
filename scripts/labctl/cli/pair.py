"""`./lab load`, `lock` and `place`: changes of a running pair. Options are checked before an engine is asked."""

from __future__ import annotations

import shlex

import click

from ipclab.matrix.placement import Placement
from labctl.cli.types import OnOff, PlacementName, WholeNumber, mechanism_argument
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from labctl.config.values import refuse
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput


def check_load_options(mechanism: str, rate: int | None, size_bytes: int | None, reset: bool) -> None:
    """Check the options of `./lab load`.

    :raises BadInput: the options contradict each other, or the pair cannot carry such messages
    """
    given = [f"{option} {value}" for option, value in (("--rate", rate), ("--size", size_bytes)) if value is not None]
    if size_bytes is not None:
        maximum = compose_file.max_message_bytes(mechanism)
        if size_bytes > maximum:
            raise refuse(
                f"--size {size_bytes}",
                expected=f"at most {maximum} bytes with {mechanism}",
                hint=f"./lab load {mechanism} --size {maximum}",
            )
    if reset and given:
        raise refuse(
            f"--reset with {' and '.join(given)}",
            expected="either --reset, or --rate and --size",
            hint=f"./lab load {mechanism} {' '.join(given)}",
        )
    if not reset and not given:
        raise BadInput(
            f"load {mechanism} without an option: expected --rate, --size or --reset",
            hint=f"./lab load {mechanism} --rate 2000",
        )


def check_place_options(mechanism: str, placement: Placement | None, back: bool) -> None:
    """Check the options of `./lab place`.

    :raises BadInput: neither or both of a placement and --back, or the pair's own placement
    """
    from labctl.place.moved_consumers import elsewhere  # imports mechanisms, which most commands do not need

    places = elsewhere(mechanism)
    if back == (placement is not None):
        raise refuse(
            f"place {mechanism}{f' {placement}' if placement else ''}{' --back' if back else ''}",
            expected=f"--back, or one of {', '.join(places)}",
            hint=f"./lab place {mechanism} {placement or places[0]}",
        )
    if placement is not None and placement not in places:
        own = "is never in the container of" if placement is Placement.SAME_CONTAINER else "shares only that with"
        raise refuse(
            f"place {mechanism} {placement}",
            expected=f"one of {', '.join(places)}",
            hint=f"the consumer of {mechanism} {own} its producer in compose.yaml; --back restores that",
        )


def check_lock_options(mechanism: str, wanted: str | None, reset: bool) -> None:
    """Check the options of `./lab lock`.

    :raises BadInput: the pair has no lock to switch, or the word and the option contradict each other
    """
    able = compose_file.with_sync()
    if mechanism not in able:
        raise refuse(
            f"lock {mechanism}",
            expected=f"one of {', '.join(able)}",
            hint=f"{mechanism} has no memory that both sides change; ./lab lock {able[0]} off",
        )
    if reset == (wanted is not None):
        raise refuse(
            f"lock {mechanism}{f' {wanted}' if wanted else ''}{' --reset' if reset else ''}",
            expected="on, off or --reset, one of them",
            hint=f"./lab lock {mechanism} {wanted or 'off'}",
        )


@click.command(short_help="Change rate or size of a running pair.")
@mechanism_argument
@click.option("--rate", type=WholeNumber("LAB_RATE"), metavar="N", help="Messages per second.")
@click.option("--size", type=WholeNumber("LAB_SIZE"), metavar="BYTES", help="Bytes of each message, header included.")
@click.option("--reset", is_flag=True, help="Go back to the LAB_RATE and LAB_SIZE of the pair's start.")
def load(mechanism: str, rate: int | None, size: int | None, reset: bool) -> None:
    """Change the load of a running pair without restarting it, and print its row under the new load.

    Without --rate the rate stays, without --size the size stays.

    \b
      ./lab load fifo --rate 2000 --size 4096
      ./lab load fifo --size 64
      ./lab load fifo --reset
    """
    check_load_options(mechanism, rate, size, reset)
    configuration = Configuration.load()

    from labctl.commands.load import change_load
    from labctl.lab.lab import Lab

    change_load(Lab(configuration), mechanism, rate, size, reset)


@click.command(short_help="Switch the lock of a running pair's shared words.")
@mechanism_argument
@click.argument("state", metavar="[on|off]", type=OnOff(), required=False)
@click.option("--reset", is_flag=True, help="Go back to the LAB_RACE_LOCK the pair was started with.")
def lock(mechanism: str, state: str | None, reset: bool) -> None:
    """Switch the lock around the memory that both sides of a pair change, and print the lost updates.

    Once a second both sides change a shared counter and a shared record, for at most a millisecond and up to 500
    times. In the middle of each change a side gives its CPU away, because a collision would be rare otherwise. With the
    lock no update is lost. Without the lock the same code loses updates and reads torn records; both are counted. The
    messages of the pair go on.

    \b
      ./lab lock sysv_shm off
      ./lab lock sysv_shm on
      ./lab lock sysv_shm --reset
    """
    check_lock_options(mechanism, state, reset)
    configuration = Configuration.load()

    from labctl.commands.lock import change_lock
    from labctl.lab.lab import Lab

    change_lock(Lab(configuration), mechanism, None if reset else state == "on")


@click.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sync(arguments: tuple[str, ...]) -> None:
    """The old name of `./lab lock`; it goes with the next release."""
    raise BadInput("./lab sync is called ./lab lock now", hint=shlex.join(["./lab", "lock", *arguments]))


@click.command(short_help="Move the consumer of a running pair to another placement, and back.")
@mechanism_argument
@click.argument("placement", metavar="[PLACEMENT]", type=PlacementName(), required=False)
@click.option("--back", is_flag=True, help="Move the consumer back to its own placement.")
def place(mechanism: str, placement: Placement | None, back: bool) -> None:
    """Move the consumer of a running pair to another placement, and show which messages arrive.

    The ledger moves with the consumer, so every sequence number stays accounted for in both directions. `./lab up`
    moves every consumer back. second_host needs `./lab hosts up`.

    \b
      ./lab place sysv_shm shared_network
      ./lab place tcp second_host
      ./lab place tcp --back
    """
    check_place_options(mechanism, placement, back)
    configuration = Configuration.load()

    from labctl.lab.lab import Lab
    from labctl.place.place import place as move_consumer
    from labctl.place.place import put_back

    with changing(configuration.project, f"./lab place {mechanism}"):
        if placement:
            move_consumer(Lab(configuration), mechanism, placement)
        else:
            put_back(Lab(configuration), mechanism)
