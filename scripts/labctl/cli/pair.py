"""`./lab load`, `lock` and `place`: changes of a running pair. Options are checked before an engine is asked."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from ipclab.matrix.placement import Placement
from ipclab.runtime.overrides import Load
from labctl.cli.types import Burst, OnOff, PlacementName, WholeNumber, mechanism_argument
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from labctl.config.loads import NAMES, LoadRequest
from labctl.config.values import known_name, refuse, shown
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput


def load_target(words: Sequence[str], every: bool) -> tuple[list[str], str | None]:
    """The mechanisms and the name of the load among the words of `./lab load`; no mechanism is every pair.

    :raises BadInput: a word is neither, something follows the load, or the pairs are given twice or not at all
    """
    mechanisms = compose_file.declared()
    if every and words and words[0] in mechanisms:
        raise refuse(f"--all with {words[0]}", expected="one of them", hint=f"./lab load {' '.join(words)}")
    named = [index for index, word in enumerate(words) if word in NAMES or (every and index == 0)]
    if named and (more := words[named[0] + 1 :]):
        raise BadInput(
            f"argument {' '.join(more)}: ./lab load takes no more", hint="./lab load --help shows what it takes"
        )
    if every:
        return [], known_name(f"LOAD {shown(words[0])}", words[0], NAMES) if words else None
    pairs = words[: named[0]] if named else words
    if not pairs:
        raise BadInput(
            f"load {words[0] if words else 'without a pair'}: expected MECHANISM or --all",
            hint=f"./lab load --all {words[0] if words else 'stream'}; ./lab load --help has more",
        )
    known_name(f"MECHANISM {shown(pairs[0])}", pairs[0], mechanisms)
    for word in pairs[1:]:
        if word not in mechanisms:
            known_name(f"LOAD {shown(word)}", word, NAMES)
    return list(dict.fromkeys(pairs)), words[named[0]] if named else None


def check_load_options(mechanisms: Sequence[str], request: LoadRequest) -> None:
    """Check the options of `./lab load`.

    :raises BadInput: the options contradict each other, or a pair cannot carry such messages
    """
    target = " ".join(mechanisms) or "--all"
    options = {"--rate": request.rate, "--size": request.size_bytes, "--burst": request.burst}
    given = [f"{option} {value}" for option, value in options.items() if value is not None]
    if request.name:
        given.insert(0, request.name)
    if request.size_bytes is not None and not request.name:
        for mechanism in mechanisms:
            maximum = compose_file.max_message_bytes(mechanism)
            if request.size_bytes > maximum:
                raise refuse(
                    f"--size {request.size_bytes}",
                    expected=f"at most {maximum} bytes with {mechanism}",
                    hint=f"./lab load {mechanism} --size {maximum}",
                )
    if request.reset and given:
        raise refuse(
            f"--reset with {' and '.join(given)}",
            expected="either --reset, or a load",
            hint=f"./lab load {target} {' '.join(given)}",
        )
    if not request.reset and not given:
        raise BadInput(
            f"load {target} without a load: expected one of {', '.join(NAMES)}, or --rate, --size, --burst or --reset",
            hint=f"./lab load {target} --rate 2000",
        )
    if request.rate is not None and request.burst is not None:
        request.of(target, Load(request.rate, 1), None)


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
            hint=f"./lab place {mechanism} {placement}" if placement else "./lab place --help: what each one shares",
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


@click.command(short_help="Change the load of running pairs.")
@click.argument("words", metavar="[MECHANISM]... [LOAD]", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every pair that runs, in place of MECHANISM.")
@click.option("--rate", type=WholeNumber("LAB_RATE"), metavar="N", help="Messages per second.")
@click.option(
    "--size",
    type=WholeNumber("LAB_SIZE"),
    metavar="BYTES",
    help="Bytes of each message, header included; a byte stream adds a frame prefix of 12 bytes.",
)
@click.option("--burst", type=Burst(), metavar="N", help="Messages that are due together.")
@click.option("--reset", is_flag=True, help="Go back to the LAB_RATE and LAB_SIZE of the pair's start.")
def load(
    words: tuple[str, ...], every: bool, rate: int | None, size: int | None, burst: int | None, reset: bool
) -> None:
    """Change the load of running pairs without restarting them, and print their rows under the new load.

    LOAD is idle (the load of the pair's start), stream (2,000 messages/s of 1 KiB, 50 of them due together) or bulk
    (200 messages/s of 64 KiB, 8 of them due together). The options change LOAD, or without LOAD the present load.
    Latency counts from the due time. With LOAD or --all, a mechanism with a smaller maximum sends messages of its
    maximum.

    \b
      ./lab load fifo --rate 2000 --size 4096
      ./lab load fifo sysv_shm --size 65536
      ./lab load --all stream
      ./lab load --all idle
    """
    mechanisms, name = load_target(words, every)
    request = LoadRequest(name, rate, size, burst, reset, fits=every or name is not None)
    check_load_options(mechanisms, request)
    configuration = Configuration.load()

    from labctl.commands.load import change_load
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab load"):
        change_load(Lab(configuration), mechanisms, request)


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

    with changing(configuration.project, f"./lab lock {mechanism}"):
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

    PLACEMENT says what the consumer then shares with its producer:

    \b
      shared_ipc      the IPC namespace and /dev/shm
      ipc_namespace   the IPC namespace, with a /dev/shm of its own
      shared_volume   a volume
      shared_network  a network
      second_host     a network, from another Docker Engine

    A pair's own placement is none of those to choose from. The ledger moves with the consumer, so every sequence number
    stays accounted for in both directions. `./lab up` moves every consumer back. second_host needs `./lab hosts up`.

    \b
      ./lab place posix_mq ipc_namespace
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
