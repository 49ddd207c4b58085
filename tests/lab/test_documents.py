"""Every command in README and docs is run, in the order of the page, and works."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.harness.commands import commands
from lab.harness.stack import ROOT, Stack

README = ROOT / "README.md"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
# This very run is `./lab test`, of everything or of a part; CI calls it with no argument.
_THIS_RUN = ["./lab", "test"]
_COMPOSE = ["docker", "compose"]
# Ends the lab of all tests, so a test of its own runs it last of all: tests/lab/test_lifecycle.py.
_DOWN = ["./lab", "down"]
# Needs podman: tests/lab/test_kube.py runs its commands.
_PODS = ROOT / "docs" / "KUBERNETES.md"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [p for p in PAGES if p != _PODS and commands(p)], ids=lambda page: page.name)
def test_the_commands_of_a_page_work(page: Path, stack: Stack) -> None:
    """In the lab of all tests, which is as it was afterwards."""
    asked = commands(page)
    assert _DOWN not in asked[:-1]
    ran = []
    for command in asked:
        if command[:2] == _THIS_RUN:
            assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "exec ./lab test"
            continue
        if command == _DOWN or command in _cloning():
            continue
        if command[:2] == _COMPOSE:
            done = stack.compose(*command[2:])
            assert done.returncode == 0, f"{command}: {done.stderr}"
            continue
        assert command[0] == "./lab", f"no test runs {command}"
        done = stack.lab(*command[1:], within_s=500)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        ran.append(command[1])
    if "up" in ran:
        assert stack.lab("up").returncode == 0


def _cloning() -> list[list[str]]:
    """The first two commands of README."""
    return commands(README)[:2]


def test_the_pages_have_commands() -> None:
    assert ["./lab", "up"] in commands(README)


def test_readme_begins_with_a_clone_that_has_the_command_line(tmp_path: Path) -> None:
    (git, clone, _, folder), enter = _cloning()
    assert (git, clone) == ("git", "clone")
    assert enter == ["cd", folder]
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone, so there is nothing to clone from")
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / folder], check=True, timeout=120)
    assert os.access(tmp_path / folder / "lab", os.X_OK)


def test_the_output_that_readme_shows_has_the_columns_of_the_lab(stack: Stack) -> None:
    (sample,) = re.findall(r"\n\n```\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    *header, rule = sample.splitlines()[:3]
    *shown, rule_shown = stack.lab("status").stdout.splitlines()[:3]
    assert [line.split() for line in shown] == [line.split() for line in header]  # the figures decide how wide they are
    assert set(rule) == set(rule_shown.rstrip()) == {"─"}
    addresses = " ".join(sample.splitlines()[-2:]).split()
    assert [word for word in addresses if word.istitle()] == ["Page", "Prometheus", "Grafana"]


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_path_that_a_page_names_is_there() -> None:
    """In code spans, from the root; a name in capitals stands for any."""
    for page in PAGES:
        for path in re.findall(r"`((?:services|scripts|dashboards|tests|docs|exercises)/[^`\s]*)`", page.read_text()):
            if not re.search(r"[A-Z]{4}(?!\w*\.md)|tcp_nagle", path):
                assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_inline_commands_exist() -> None:
    """What the text says in passing names commands and containers that there are."""
    known = set(re.findall(r"^\s+(\w+)\s{2,}", Stack("ipclabdocs").lab("--help").stdout, re.MULTILINE))
    assert {"up", "down", "status"} <= known
    for page in PAGES:
        for name in re.findall(r"\./lab (\w+)", page.read_text()):
            assert name in known, f"{page.name}: ./lab {name}"
