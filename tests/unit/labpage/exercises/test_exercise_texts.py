"""The exercises on the page are those of `./lab exercise`."""

from __future__ import annotations

import pytest

from labctl.workshop.exercise import exercise as exercises
from labctl.workshop.exercise.language import Language
from labpage.exercises.texts import all_texts
from labpage.panels.files import dashboards


@pytest.mark.parametrize("language", list(Language))
def test_every_exercise_is_there_with_its_texts(language: Language) -> None:
    shown = all_texts(str(language))
    expected = exercises.every()
    assert [text.name for text in shown] == [it.name for it in expected]
    for text, it in zip(shown, expected, strict=True):
        own = it.texts(language)
        assert (text.title, text.minutes, list(text.pairs)) == (own.title, it.minutes, list(it.pairs))
        assert len(text.hints) == len(own.hints)
        assert "<blockquote>" not in text.after, "the warning is for the file; the page folds the answer"
        assert text.before.count("<h3>") == text.after.count("<h3>") == 2, "two sections before it is solved, two after"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_panel_of_an_exercise_is_one_of_the_dashboards(language: str) -> None:
    for text in all_texts(language):
        board, _, number = (text.panel or "").partition(".")
        named = next(it for it in exercises.every() if it.name == text.name).panel
        assert named is not None
        panel = dashboards()[board].panel(int(number))
        assert panel is not None
        assert (board, panel.title) == (named.dashboard, named.title)
