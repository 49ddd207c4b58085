"""Where a pair's consumer can be placed; checked before an engine is asked."""

from __future__ import annotations

from ipclab.matrix.placement import Placement
from labctl.config.values import refuse


def check_place_options(mechanism: str, placement: Placement | None, back: bool) -> None:
    """What `./lab place` was asked must make sense before anything is moved.

    :raises BadInput: neither or both of a placement and --back, or a placement that is no move
    """
    from labctl.placements import elsewhere  # imports mechanisms, which most commands do not need

    places = elsewhere(mechanism)
    if back == (placement is not None):
        raise refuse(
            f"place {mechanism}{f' {placement}' if placement else ''}{' --back' if back else ''}",
            allowed=f"--back, or one of {', '.join(places)}",
            hint=f"./lab place {mechanism} {placement or places[0]}",
        )
    if placement is not None and placement not in places:
        own = "is in another container than" if placement is Placement.SAME_CONTAINER else "shares just that with"
        raise refuse(
            f"place {mechanism} {placement}",
            allowed=f"one of {', '.join(places)}",
            hint=f"the consumer of {mechanism} {own} its producer by itself; --back moves it there",
        )
