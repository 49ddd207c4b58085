"""The facts of a mechanism as they stand in its dashboard's variable."""

from __future__ import annotations

import json
import re

import pytest
from dashboards import facts
from dashboards.__main__ import JSON

from labctl.commands import mechanisms
from labctl.config import compose_file


@pytest.mark.parametrize("name", compose_file.declared())
def test_they_are_one_line_that_grafana_can_tell_from_the_name(name: str) -> None:
    said = facts.of(name)
    assert "\n" not in said
    assert facts.SEPARATOR not in said
    assert said.count("https://man7.org/") == 1


@pytest.mark.parametrize("name", compose_file.declared())
def test_they_are_a_list_and_not_one_paragraph(name: str) -> None:
    said = facts.of(name)
    items = re.findall(r"<li>(.*?)</li>", said)
    (row,) = (row for row in mechanisms.rows() if row.name == name)
    headings = [item.partition(":")[0] for item in items]
    wanted = [heading for heading in mechanisms.COLUMNS if heading not in ("pair", "man page")]
    assert headings == [*wanted, "errors of sending", "man page"]
    assert f"kind: <b>{row.traits.kind}</b>" in said
    # Balanced, and only what Grafana's sanitizer keeps.
    tags = re.findall(r"</?(\w+)", said)
    assert set(tags) <= {"p", "ul", "li", "b", "a"}
    assert all(said.count(f"<{tag}>") + said.count(f"<{tag} ") == said.count(f"</{tag}>") for tag in set(tags))


def test_a_man_page_is_a_link() -> None:
    assert facts.man_page("fifo(7)") == '<a href="https://man7.org/linux/man-pages/man7/fifo.7.html">fifo(7)</a>'
    assert facts.man_page("no page") == "no page"


def test_the_variable_offers_every_pair_and_what_it_says_of_itself() -> None:
    (variable,) = json.loads((JSON / "mechanism.json").read_text())["templating"]["list"]
    assert {option["text"]: option["value"] for option in variable["options"]} == {
        name: facts.of(name) for name in compose_file.declared()
    }
    # What Grafana reads: options apart by commas, those of the facts escaped, name and facts apart by " : ".
    options = variable["query"].replace("\\,", "\0").split(",")
    read = dict(option.replace("\0", ",").split(facts.SEPARATOR) for option in options)
    assert read == {name: facts.of(name) for name in compose_file.declared()}
