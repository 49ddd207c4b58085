"""Why a panel is empty, in words: what its series are of, and what makes them."""

from __future__ import annotations

import re

from labpage.panels.definition import Panel
from labpage.panels.translation import Translation

# The first that a query has; the words are in texts/panels.*.toml below [words].
_OF = (
    (re.compile(r"\bipc_bench_"), "no_bench"),
    (re.compile(r"\bprobe_"), "no_probe"),
    (re.compile(r"\bipc_kernel_"), "no_kernel"),
    (re.compile(r"_errors_total|_lost_|_corrupt_|_duplicate_|_reordered_|_skipped_"), "none_of_it"),
    (re.compile(r"\bipc_race_"), "no_race"),
)


def nothing(panel: Panel, translation: Translation) -> str:
    """A sentence for a panel whose queries have no series."""
    asked = " ".join(query.expr for query in panel.queries)
    reason = next((name for pattern, name in _OF if pattern.search(asked)), "nothing")
    return translation.words[reason]
