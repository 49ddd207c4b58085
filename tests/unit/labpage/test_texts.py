"""The words of the page."""

from __future__ import annotations

import re

import pytest

from ipclab import mechanisms
from ipclab.matrix.placement import Placement, PodPlacement
from labpage.picture.state import State
from labpage.texts import LANGUAGES, chosen, texts
from labpage.views import all_views


def test_both_languages_have_the_same_keys_and_the_same_gaps() -> None:
    english = texts("en")
    for language in LANGUAGES:
        other = texts(language)
        assert other.keys() == english.keys()
        for key in sorted(english.keys()):
            assert set(re.findall(r"\{\w+\}", other(key))) == set(re.findall(r"\{\w+\}", english(key))), key


def test_korean_is_korean() -> None:
    """No text of more than a word was left in English."""
    left = [
        key for key in sorted(texts("ko").keys()) if " " in texts("ko")(key) and texts("ko")(key) == texts("en")(key)
    ]
    assert not [key for key in left if re.search(r"[A-Za-z]{3,} [a-z]{3,}", texts("ko")(key))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_can_be_shown_has_words(language: str) -> None:
    text = texts(language)
    wanted = {view.title for view in all_views()}
    wanted |= {f"picture.means_{state}" for state in State}
    wanted |= {f"picture.{state}_now" for state in State if state not in (State.FLOWS, State.REFUSED)}
    wanted |= {f"mechanism.{name}" for name in mechanisms.names()}
    wanted |= {f"matrix.{place}" for place in (*Placement, *PodPlacement)}
    assert wanted <= text.keys()


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "language"),
    [
        ("ko", "en", "en", "ko"),
        (None, "ko", "en", "ko"),
        (None, None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, None, "fr-FR,fr;q=0.9", "en"),
        ("klingon", None, "", "en"),
        ("../../etc/passwd", "<script>", "*", "en"),
    ],
)
def test_the_address_wins_then_the_last_choice_then_the_browser(
    asked: str | None, remembered: str | None, accepted: str, language: str
) -> None:
    assert chosen(asked, remembered, accepted) == language


def test_there_is_no_third_language() -> None:
    with pytest.raises(KeyError):
        texts("de")
