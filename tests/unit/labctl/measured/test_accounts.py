"""What the ledgers of several containers make of a pair's measures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipclab.accounting.shared import Account
from labctl.measured.accounts import ChannelAccounts, ProducerAccount, with_accounts
from labctl.measured.pairs import PairMeasures

MEASURED = PairMeasures(
    mechanism="fifo",
    sent=90,
    received=80,
    lost=2,
    lost_by_reason={"channel": 2, "consumer_restart": 0},
    duplicated=0,
    reordered=0,
    corrupt=2,
    skipped=0,
    kernel_drops=None,
    in_flight=8,
    rate=200.0,
    load_rate=200,
    size_bytes=1024,
    one_way_p50_seconds=0.1,
    one_way_p99_seconds=0.2,
)
PRODUCERS = [
    ProducerAccount(
        "fifo-producer", Account(sent=60, received=55, twice=1, lost=3, on_the_way=2), {"fifo-consumer": 55}, 7
    ),
    ProducerAccount("gone", Account(sent=40, received=38, twice=0, lost=2, on_the_way=0), {"fifo-consumer": 38}),
]


@pytest.mark.parametrize(
    ("shared", "reasons"),
    [(False, {"channel": 2, "consumer_restart": 0}), (True, {"channel": 2, "consumer_restart": 0, "shared": 3})],
)
def test_the_counts_are_those_of_all_ledgers_and_the_rest_is_measured(shared: bool, reasons: dict[str, int]) -> None:
    other = replace(MEASURED, mechanism="tcp")
    pair, untouched = with_accounts([MEASURED, other], [ChannelAccounts("fifo", PRODUCERS, shared)])
    assert untouched is other
    assert pair == replace(MEASURED, sent=100, received=93, lost=5, lost_by_reason=reasons, duplicated=1, in_flight=2)
