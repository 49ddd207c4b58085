"""What is said of the pairs that are waited for."""

from __future__ import annotations

from labctl.config import compose_file
from labctl.measured.traffic import in_words


def test_all_pairs_are_a_number_and_some_are_names() -> None:
    declared = compose_file.declared()
    assert in_words(declared) == f"all {len(declared)} pairs"
    assert in_words([*declared[1:], declared[0]]) == f"all {len(declared)} pairs"
    assert in_words(declared[:2]) == ", ".join(declared[:2])
