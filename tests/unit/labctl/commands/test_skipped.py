"""A message that was due and never sent is visible wherever one is that was lost: else "nothing is lost" misleads."""

from __future__ import annotations

import json
import re

import pytest
from dashboards.__main__ import JSON

from ipclab.accounting.shared import Account
from labctl.commands import pair_table, tables
from labctl.commands.watch import as_table
from labctl.config.paths import ROOT
from labctl.measured.accounts import ChannelAccounts, ProducerAccount
from labctl.measured.pairs import Row, measure
from support.prometheus import prometheus_that_says, scraped

LOST, SKIPPED = 3.0, 1507.0


@pytest.mark.parametrize("dashboard", sorted(JSON.glob("*.json")), ids=lambda path: str(path.stem))
def test_on_every_panel_row_of_a_dashboard(dashboard: object) -> None:
    panels = json.loads((JSON / str(dashboard)).read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert any("messages_lost" in expr for expr in expressions) <= any("messages_skipped" in e for e in expressions)


def test_in_status_and_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    answers = {"__name__": scraped(messages_lost=LOST, messages_skipped=SKIPPED)}
    with prometheus_that_says(answers) as prometheus:
        found = measure(prometheus, ["fifo"])
    assert found[0].as_json()["skipped"] == SKIPPED
    pair_table.show_pairs(found)
    _expect_both(capsys.readouterr().out)


def test_in_watch(capsys: pytest.CaptureFixture[str]) -> None:
    from labctl.terminal.printing import show_table

    show_table(as_table([Row("fifo", True, lost=LOST, skipped=SKIPPED)]))
    _expect_both(capsys.readouterr().out)


def test_of_every_producer_of_a_shared_channel(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account(sent=60, received=55, twice=1, lost=int(LOST), on_the_way=2)
    channel = ChannelAccounts("fifo", [ProducerAccount("fifo-producer", account, {}, int(SKIPPED))])
    tables.show_accounts([channel])
    _expect_both(capsys.readouterr().out)
    assert channel.as_json()["producers"][0]["skipped"] == SKIPPED


def test_in_the_tables_of_the_swarm_and_of_the_report() -> None:
    for source in ("scripts/labctl/clusters/swarm/table.py", "scripts/labctl/report/templates/report.html.j2"):
        text = (ROOT / source).read_text()
        assert re.search(r"\blost\b.{,20}\bskipped\b", text), source


def _expect_both(table: str) -> None:
    head, row = (
        next(line.split() for line in table.splitlines() if word in line.split()) for word in ("skipped", "1,507")
    )
    assert "lost" in head
    assert "3" in row
