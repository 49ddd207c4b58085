"""Who received what, for people: a row per producer of a channel that has several containers on a side."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.channel_books import ChannelBooks
from labctl.terminal.printing import new_table, show_lines, show_table, show_text

_ACCOUNTS_NOTE = (
    "Sent = received + lost + on the way, from the ledgers. Skipped: due and never sent. Gone: containers that were "
    "removed."
)


def show_accounts(channels: Sequence[ChannelBooks]) -> None:
    """One table for all channels, none if no pair is scaled."""
    if not channels:
        return
    table = new_table()
    table.add_column("producer", no_wrap=True)
    for heading in ("sent", "received", "twice", "lost", "on the way", "skipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("received by", overflow="fold")
    for channel in channels:
        for row in channel.producers:
            account = row.account
            table.add_row(
                f"{channel.mechanism} {row.producer}" if row.producer == "gone" else row.producer,
                *(f"{n:,}" for n in (account.sent, account.received, account.twice, account.lost, account.on_the_way)),
                f"{row.skipped:,}",
                "\n".join(f"{count:,} {who}" for who, count in row.received_by.items() if count),
            )
    show_table(table)
    show_text(_ACCOUNTS_NOTE)
    show_lines([""])
