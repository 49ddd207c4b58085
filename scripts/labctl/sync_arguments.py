"""What `./lab sync` is given; checked before an engine is asked."""

from __future__ import annotations

from labctl.config import compose_file
from labctl.config.values import refuse


def check_sync_options(mechanism: str, wanted: str | None, reset: bool) -> None:
    """What `./lab sync` was asked must make sense before anything is asked of the pair.

    :raises BadInput: the pair has no lock to switch, or the word and the option contradict each other
    """
    able = compose_file.with_sync()
    if mechanism not in able:
        raise refuse(
            f"sync {mechanism}",
            allowed=f"one of {', '.join(able)}",
            hint=f"both sides of {mechanism} change nothing in common; ./lab sync {able[0]} off",
        )
    if reset == (wanted is not None):
        raise refuse(
            f"sync {mechanism}{f' {wanted}' if wanted else ''}{' --reset' if reset else ''}",
            allowed="on, off or --reset, one of them",
            hint=f"./lab sync {mechanism} {wanted or 'off'}",
        )
