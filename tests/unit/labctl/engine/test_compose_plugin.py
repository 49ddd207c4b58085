"""Compose's version, as it and the distributions write it."""

from __future__ import annotations

import pytest

from labctl.engine.compose import OLDEST, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.26.1-4", (2, 26)),
        ("v2.17.0", (2, 17)),
        ("2.40.3+ds1-0ubuntu1~24.04.1", (2, 40)),
        ("Docker Compose version v5.0.1", (5, 0)),
        ("", None),
        ("dev", None),
    ],
)
def test_version(text: str, version: tuple[int, int] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(("text", "is_enough"), [("1.29.2-3", False), ("2.16.0", False), ("2.17.0", True)])
def test_the_first_and_the_early_second_generation_are_too_old(text: str, is_enough: bool) -> None:
    version = parse_version(text)
    assert version is not None
    assert (version >= OLDEST) is is_enough
