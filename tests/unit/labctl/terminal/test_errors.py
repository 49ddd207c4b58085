"""An error is one line that a terminal shows as it is, whatever it repeats."""

from __future__ import annotations

import pytest

from labctl.terminal.errors import BadInput, LabError, Silent


@pytest.mark.parametrize("kind", [LabError, BadInput, Silent])
def test_what_would_end_the_line_or_move_the_cursor_is_shown_by_its_escape_sequence(kind: type[LabError]) -> None:
    error = kind("no such file: a\nb\x1b[2J", hint="mend 한글\udcff")
    assert str(error) == "no such file: a\\nb\\x1b[2J (hint: mend 한글\\udcff)"
    assert (error.message, error.hint) == ("no such file: a\\nb\\x1b[2J", "mend 한글\\udcff")
