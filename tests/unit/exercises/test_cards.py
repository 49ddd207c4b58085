"""The cards: a page for each exercise, in one file that needs no other, with what a student needs on paper."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from labctl.main import main
from labctl.workshop.exercise import cards
from labctl.workshop.exercise.exercise import DO, every
from labctl.workshop.exercise.language import Language

_VOID = {"meta", "br", "hr", "img"}


class Tags(HTMLParser):
    """What is open, and whether all of it was closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", Language)
def test_every_exercise_has_a_page_with_its_steps_and_its_questions(
    language: Language, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cards.html"
    assert main(["exercise", "cards", "--output", str(file), "--language", str(language)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(file)
    page = file.read_text(encoding="utf-8")
    articles = re.findall(r'<article id="exercise-(\d+)">(.*?)</article>', page, re.S)
    assert [int(number) for number, _ in articles] == [exercise.number for exercise in every()]
    for exercise, (_, article) in zip(every(), articles, strict=True):
        text = html.unescape(re.sub("<[^>]+>", "", article))
        texts = exercise.texts(language)
        assert texts.title in text
        for line in (texts.goal, *texts.questions.values()):
            assert line.replace("`", "") in text
        commands = re.findall(r"^```sh\n(.*?)^```", exercise.section(language, DO), re.M | re.S)
        for block in commands:
            assert block in text
        assert "```" not in text


def test_the_page_is_sound_and_needs_no_other_file() -> None:
    page = cards.page(every(), Language.ENGLISH)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not {name for name, _ in tags.attributes} & {"src", "href"}
    assert "break-after: page" in page


def test_what_a_text_has_of_html_is_shown_and_not_obeyed() -> None:
    assert cards._html("<script>1</script> & `<b>`").strip() == (
        "<p>&lt;script&gt;1&lt;/script&gt; &amp; <code>&lt;b&gt;</code></p>"
    )


def test_a_secret_value_is_on_no_card() -> None:
    page = cards.page(every(), Language.ENGLISH)
    assert "FAULT" not in page


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "cards", "--output", str(tmp_path / "nowhere" / "cards.html")]) == 2
    assert main(["exercise", "cards", "--output", "/proc/cards.html"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
