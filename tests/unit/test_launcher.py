"""`./lab` before its .venv is whole: what it says where there is no Python for it, and what it installs when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unit.test_status import prometheus_that_says

_LAB = Path(__file__).parents[2] / "lab"
_TOOLS = ("bash", "env", "cat", "uname", "cksum", "dirname", "readlink", "id", "mktemp", "tail", "sed", "rm")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A clone on a machine with a shell and the usual tools, and no Python."""
    for name in _TOOLS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(found)
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(_LAB, clone / "lab")
    shutil.copy(_LAB.parent / "requirements.txt", clone)
    return clone


def _run(
    clone: Path, script: Path | None = None, *arguments: str, prometheus_port: int = 1
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(clone.parent / "bin"), "LAB_PROMETHEUS_PORT": str(prometheus_port)}
    command = ["bash", str(script or clone / "lab"), *(arguments or ["up"])]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


def _add_python(clone: Path, name: str, script: str) -> None:
    path = clone.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_no_python_is_one_clear_message(bare: Path) -> None:
    result = _run(bare)
    assert result.returncode == 1
    assert "no Python 3.11 or newer" in result.stderr
    assert "hint:" in result.stderr
    assert not (bare / ".venv").exists()


def test_an_old_python_is_named(bare: Path) -> None:
    _add_python(bare, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    result = _run(bare)
    assert result.returncode == 1
    assert "python3 is: Python 3.9.2" in result.stderr


@pytest.fixture
def without_tools(bare: Path) -> Path:
    """A clone with a .venv for the command line alone; pip writes down that it was asked for more."""
    venv_bin = bare / ".venv" / "bin"
    venv_bin.mkdir(parents=True)
    (venv_bin / "python").write_text(
        f"""#!/bin/sh
case "$*" in
  *"-m pip"*) : >"{bare}/installed"; exit 1 ;;
  *"-m labctl"*) exec "{sys.executable}" "$@" ;;
  *) echo "(3, 11)" ;;
esac
"""
    )
    (venv_bin / "python").chmod(0o755)
    for part in (
        "scripts",
        "services",
        "compose.yaml",
        ".env",
        "requirements-report.txt",
        "requirements-dev.txt",
        "dashboards",
    ):
        (bare / part).symlink_to(_LAB.parent / part)
    made_from = f'cat "{bare}/requirements.txt" && uname -sm && echo "(3, 11)"'
    stamp = subprocess.run(["bash", "-c", f"{{ {made_from}; }} | cksum"], capture_output=True, text=True, check=True)
    (bare / ".venv" / "lab-runtime.stamp").write_text(stamp.stdout)
    return bare


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("report --since 0", 2, "30s to 6h"),
        ("report --help", 0, "--since"),
        ("report --output /dev/null", 2, "a folder"),
        ("report --since 15m", 1, "Prometheus does not answer"),
        ("bench sped", 2, "did you mean speed?"),
        ("bench --json", 2, "--json with speed"),
        ("bench --help", 0, "plain_file"),
        ("test --help", 0, "pytest"),
        ("dashboards --chek", 2, "did you mean --check?"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_installed(
    without_tools: Path, arguments: str, code: int, says: str
) -> None:
    result = _run(without_tools, None, *arguments.split())
    assert result.returncode == code, result.stderr
    assert says in result.stdout + result.stderr
    assert not (without_tools / "installed").exists()


def test_a_report_that_can_be_made_gets_its_tools(without_tools: Path) -> None:
    with prometheus_that_says({}) as prometheus:
        port = int(prometheus.url.rpartition(":")[2])
        result = _run(without_tools, None, "report", "--since", "15m", prometheus_port=port)
    assert "adding matplotlib" in result.stderr
    assert (without_tools / "installed").exists()


@pytest.mark.parametrize("command", [["test", "tests/unit"], ["bench", "speed"], ["dashboards", "--check"]])
def test_what_needs_the_test_tools_gets_them(without_tools: Path, command: list[str]) -> None:
    result = _run(without_tools, None, *command)
    assert "adding the test tools" in result.stderr
    assert (without_tools / "installed").exists()


def test_it_finds_itself_through_symbolic_links(bare: Path) -> None:
    first, second = bare.parent / "first", bare.parent / "second"
    first.symlink_to("a clone/lab")
    second.symlink_to(first)
    # It gets as far as looking for a Python, and not to "requirements.txt: No such file".
    result = _run(bare, second)
    assert "no Python 3.11 or newer" in result.stderr
    assert "No such file" not in result.stderr
