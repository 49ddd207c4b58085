"""The sheets have every mechanism in both languages, follow from its traits, and docs/CHEATSHEET.md is up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.bench.request import Shape
from ipclab.contract.channel import Direction, Fact, OnFull, Sharing, Traits
from labctl.experiments.bench.document import document
from labctl.main import main
from labctl.workshop.sheets import advice, picture
from labctl.workshop.sheets.sheet import Language, as_markdown, words_of
from support.bench_figures import CONDITIONS, a_cell, figure

ROOT = Path(__file__).resolve().parents[5]
_REGENERATE = "./lab test tests/unit/labctl/workshop/sheets --update-golden"
_GENERATED = re.compile(r"(?<=" + re.escape(f"{_REGENERATE} -->\n\n") + r")(.*?)(?=\n<!-- The end)", re.DOTALL)
# The bench whose figures the pages show; without it they show none.
_FIGURES = ROOT / "docs" / "bench.json"
PAGES = {Language.ENGLISH: ROOT / "docs" / "CHEATSHEET.md", Language.KOREAN: ROOT / "docs" / "CHEATSHEET.ko.md"}


def traits_of_all() -> dict[str, Traits]:
    """The traits of every mechanism, by name."""
    return {name: mechanisms.load(name).traits for name in mechanisms.names()}


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What the command prints."""
    assert main(["mechanisms", "--sheets", *options]) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    return answer.out


@pytest.mark.parametrize("language", Language)
def test_the_page_is_up_to_date(language: Language, capsys: pytest.CaptureFixture[str], update_golden: bool) -> None:
    page = PAGES[language]
    bench = ["--bench", str(_FIGURES)] if _FIGURES.is_file() else []
    made, text = printed(capsys, "--language", str(language), *bench), page.read_text(encoding="utf-8")
    assert len(_GENERATED.findall(text)) == 1, "the markers are gone"
    if update_golden:
        text = _GENERATED.sub(lambda _: made, text)
        page.write_text(text, encoding="utf-8")
    assert _GENERATED.findall(text) == [made], f"{page.name} is outdated; run: {_REGENERATE}"


def test_both_languages_have_the_same_keys_and_the_same_places_to_fill() -> None:
    english, korean = words_of(Language.ENGLISH), words_of(Language.KOREAN)
    assert {section: list(words) for section, words in english.items()} == {
        section: list(words) for section, words in korean.items()
    }
    for section, words in english.items():
        for key, text in words.items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", korean[section][key])), key


def test_every_reason_has_words_and_every_word_a_reason() -> None:
    words = words_of(Language.ENGLISH)
    assert list(words["take"]) == list(advice.TAKE)
    assert set(words["leave"]) == set(advice.LEAVE)


def test_every_reason_tells_mechanisms_apart() -> None:
    """A reason that holds for all of them, or for none, is no advice."""
    everything = traits_of_all().values()
    for rules in (advice.TAKE, advice.LEAVE):
        for key, applies in rules.items():
            assert 0 < sum(applies(traits) for traits in everything) < len(everything), key


@pytest.mark.parametrize("name", mechanisms.names())
def test_every_mechanism_has_reasons_for_and_against_and_a_picture_in_step(name: str) -> None:
    traits = mechanisms.load(name).traits
    assert len(advice.take(traits)) >= 2
    assert len(advice.leave(traits)) >= 2
    assert not ({"two_hosts"} <= set(advice.take(traits)) and "one_host" in advice.leave(traits))
    lines = picture.draw(traits)
    assert max(map(len, lines)) <= 78
    edges = [[at for at, letter in enumerate(line) if letter in "┌│└┐┘"] for line in lines]
    assert all(edge == edges[0] for edge in edges), "\n".join(lines)


def test_advice_and_picture_follow_a_change_of_the_traits() -> None:
    fifo = mechanisms.load("fifo").traits
    other = fifo.but(
        requires=Fact(frozenset({Sharing.NETWORK}), "none(0)"),
        direction=Fact(Direction.TWO_WAY, "none(0)"),
        on_full=Fact(OnFull.DROP, "none(0)"),
    )
    assert "one_host" in advice.leave(fifo)
    assert "one_host" not in advice.leave(other)
    assert {"two_hosts", "freshness", "reply"} <= set(advice.take(other))
    assert picture.draw(fifo) != picture.draw(other)
    assert "kernels and network" in picture.draw(other)[0]


def test_a_sheet_marks_what_is_the_labs_and_says_the_limit() -> None:
    sheet = as_markdown({"posix_mq": mechanisms.load("posix_mq").traits}, Language.ENGLISH)
    assert "| direction | one way* |" in sheet
    assert "| kind | message: the borders stay |" in sheet
    assert "larger than 8 KiB" in sheet


@pytest.fixture
def bench_file(tmp_path: Path) -> Path:
    """A bench with two cells of fifo that were measured, one of tcp that was not, and one in C."""
    cells = [
        figure(a_cell("fifo", 64, Shape.ROUND_TRIP), 9.5),
        figure(a_cell("fifo", 64, Shape.ONE_WAY), 2.25),
        figure(a_cell("tcp", 64, Shape.ROUND_TRIP)),
        figure(a_cell("tcp", 64, Shape.ROUND_TRIP, implementation="c"), 7.125),
    ]
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(document(cells, CONDITIONS)), encoding="utf-8")
    return file


@pytest.mark.parametrize("language", Language)
def test_figures_of_a_bench_appear_with_their_conditions(
    language: Language, bench_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole: dict[str, Any] = json.loads(bench_file.read_text())
    sheets = printed(capsys, "--language", str(language), "--bench", str(bench_file))
    fifo = sheets.split("## fifo")[1].split("\n## ")[0]
    for us in ("9.50 µs", "2.25 µs"):
        assert us in fifo
    for fact in ("kernel", "processor", "architecture", "python"):
        assert whole["machine"][fact] in fifo
    assert re.search(rf"\b{whole['rounds']}(번| runs)", fifo)
    assert whole["at"][:10] in fifo
    assert f"**{words_of(language)['labels']['speed']}**" not in sheets.split("## tcp")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[]", '{"schema": "ipc-lab-bench/1", "cells": 3}', '{"cells": [{}]}', "\x00"]
)
def test_a_file_that_is_no_bench_is_refused_in_one_line(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main(["mechanisms", "--sheets", "--bench", str(file)]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
    assert "bench.json" in answer.err


@pytest.mark.parametrize(
    "options", [["--language", "ko"], ["--bench", "x"], ["--sheets", "--json"], ["--sheets", "--language", "fr"]]
)
def test_options_that_do_not_belong_together_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mechanisms", *options]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
