"""Every claim of the textbooks is proved by at least one exercise, and an exercise names no other claim."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict

from labctl.workshop.exercise.exercise import every
from labctl.workshop.exercise.language import EXERCISES, Language

CLAIMS: dict[str, dict[str, str]] = tomllib.loads((EXERCISES / "claims.toml").read_text(encoding="utf-8"))


def test_every_claim_is_proved_by_an_exercise_and_no_other_is_named() -> None:
    proved = defaultdict(list)
    for exercise in every():
        for claim in exercise.claims:
            proved[claim].append(exercise.number)
    assert set(proved) == set(CLAIMS)


def test_no_exercise_names_a_claim_twice() -> None:
    for exercise in every():
        assert len(exercise.claims) == len(set(exercise.claims)), exercise.name


def test_every_claim_is_a_sentence_in_each_language() -> None:
    for claim, texts in CLAIMS.items():
        assert list(texts) == [str(language) for language in Language], claim
        assert all(text.endswith(".") for text in texts.values()), claim
        assert re.search("[가-힣]", texts["ko"]), claim
