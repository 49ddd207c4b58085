"""The races as a person reads them: a row per pair and condition."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.races import Race
from labctl.terminal.printing import new_table, show_lines, show_table, show_text

_RACES_NOTE = (
    "Race: both sides change a shared counter and a record, once a second; sync on is with a lock. Counts: since the "
    "consumer was started, in rounds that both sides did to the end."
)


def show_races(races: Sequence[Race]) -> None:
    """One row per pair and condition, and what was counted how; nothing where nobody races."""
    if not races:
        return
    table = new_table()
    for index, heading in enumerate(("race", "sync", "updates", "lost updates", "records read", "torn reads")):
        table.add_column(heading, justify="left" if index < 2 else "right", no_wrap=True)
    for race in races:
        condition = f"{'on' if race.sync else 'off'}{', now' if race.now else ''}"
        counts = (race.updates, race.updates_lost, race.records_read, race.records_torn)
        table.add_row(race.mechanism, condition, *(f"{count:,}" for count in counts))
    show_table(table)
    show_text(_RACES_NOTE)
    show_lines([""])
