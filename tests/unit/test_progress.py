"""How a long step says that it ended."""

from __future__ import annotations

from contextlib import suppress

import pytest

from labctl.progress import step
from labctl.signals import Terminated


@pytest.mark.parametrize(
    ("error", "word"),
    [(None, "done"), (KeyboardInterrupt(), "interrupted"), (Terminated(15), "interrupted"), (OSError(), "failed")],
)
def test_a_step_says_how_it_ended(error: BaseException | None, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyboardInterrupt, OSError), step("Moving"):
        if error:
            raise error
    begin, end = capsys.readouterr().err.splitlines()
    assert begin.endswith("] Moving")
    assert f"] Moving: {word} (" in end
