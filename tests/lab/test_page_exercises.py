"""Exercises on the page of the running lab, in a real browser: what `./lab exercise` published."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.harness.browser import Tab
from lab.harness.panels import WITHIN_S, keep, show
from lab.harness.stack import Stack, wait_until


@pytest.mark.timeout(300)
def test_an_exercise_shows_what_the_check_saw_and_the_hints(
    page: Tab, address: str, stack: Stack, tmp_path: Path
) -> None:
    own = {"XDG_STATE_HOME": str(tmp_path), "LAB_STUDENT": "page", "LANG": "C.UTF-8"}
    said = "document.querySelector('.said')?.innerText ?? ''"
    url = f"{address}/exercises?exercise=06_one_host_only"
    show(page, f"{url}&lang=en", 2, 1400)
    try:
        assert stack.lab("exercise", "start", "6", "--yes", within_s=300, **own).returncode == 0
        wait_until("begun", WITHIN_S, lambda: "not checked yet" in page.ask(said))
        assert stack.lab("exercise", "hint", "6", within_s=300, **own).returncode == 0
        check = stack.lab("exercise", "check", "6", "--yes", within_s=300, **own)
        assert check.returncode == 1, check.stderr
        wait_until("the verdict", WITHIN_S, lambda: "Not yet" in page.ask(said))
        assert check.stdout.partition("not yet: ")[2].splitlines()[0] in page.ask(said)
        assert "Hints used: 1 of 3" in page.ask(said)
        keep(page, "page-exercise.png")
        show(page, f"{url}&lang=ko", 2, 1400)
        wait_until("in Korean", WITHIN_S, lambda: "힌트 1/3" in page.ask(said))
    finally:
        assert stack.lab("exercise", "reset", "6", within_s=300, **own).returncode == 0
    wait_until("forgotten", WITHIN_S, lambda: "./lab exercise start 6" in page.ask(said))
