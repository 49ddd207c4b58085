"""What `./lab load` is given; checked before an engine is asked."""

from __future__ import annotations

from labctl.config import compose_file
from labctl.config.values import refuse
from labctl.terminal.errors import BadInput


def check_load_options(mechanism: str, rate: int | None, size_bytes: int | None, reset: bool) -> None:
    """What `./lab load` was asked must make sense before anything is asked of the pair.

    :raises BadInput: the options contradict each other, or the pair cannot carry such messages
    """
    given = [f"{option} {value}" for option, value in (("--rate", rate), ("--size", size_bytes)) if value is not None]
    if size_bytes is not None:
        maximum = compose_file.max_message_bytes(mechanism)
        if size_bytes > maximum:
            raise refuse(
                f"--size {size_bytes}",
                allowed=f"at most {maximum} bytes with {mechanism}",
                hint=f"./lab load {mechanism} --size {maximum}",
            )
    if reset and given:
        raise refuse(
            f"--reset with {' and '.join(given)}",
            allowed="either --reset, or --rate and --size",
            hint=f"./lab load {mechanism} {' '.join(given)}",
        )
    if not reset and not given:
        raise BadInput(
            f"load {mechanism} without an option: needed is at least one of --rate, --size, --reset",
            hint=f"./lab load {mechanism} --rate 2000",
        )
