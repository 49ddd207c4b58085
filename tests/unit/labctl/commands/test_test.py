"""`./lab test` runs every test once, and its linters of images and stack see what they are for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labctl.commands import test
from labctl.config.paths import ROOT


def test_every_test_belongs_to_one_part() -> None:
    parts = [ROOT / part for part in (*test.WITHOUT_CONTAINERS, test.WITH_CONTAINERS)]
    files = list((ROOT / "tests").rglob("test_*.py"))
    assert files
    for file in files:
        assert sum(file.is_relative_to(part) for part in parts) == 1, file


@pytest.mark.parametrize(
    ("file", "sound", "fault", "rule"),
    [
        ("services/Dockerfile", "USER 10001:10001", "ADD x /x", "DL3020"),
        ("services/engine/Dockerfile.debian", "apt-get update", "sudo apt-get update", "DL3004"),
        ("compose.yaml", "  read_only: true\n", "  privileged: true\n", "CL-0002"),
    ],
)
def test_a_fault_in_an_image_or_in_the_stack_is_seen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    file: str,
    sound: str,
    fault: str,
    rule: str,
) -> None:
    """The linters with their exceptions, over a copy with one fault; without it they have nothing to say."""
    for name in (".hadolint.yaml", ".compose-lint.yml", "compose.yaml", ".env"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("*.py", "*.c", "*.pyc"))
    monkeypatch.setattr(test, "ROOT", tmp_path)
    assert test.lint_containers() == [0, 0]
    assert rule not in capfd.readouterr().out
    path = tmp_path / file
    assert sound in path.read_text()
    path.write_text(path.read_text().replace(sound, fault, 1))
    assert sorted(test.lint_containers()) == [0, 1]
    assert rule in capfd.readouterr().out
