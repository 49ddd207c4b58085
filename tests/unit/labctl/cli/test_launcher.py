"""`./lab` before its .venv is whole: what it says where there is no Python for it, and what it installs when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.prometheus import prometheus_that_says

_LAB = Path(__file__).parents[4] / "lab"
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
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(_LAB.parent / name, clone)
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


def test_a_free_threaded_python_is_passed_over(bare: Path) -> None:
    """This Python, which says that it has no GIL, and a shell that says which one was chosen."""
    says = "import sysconfig, sys; sysconfig.get_config_vars()['Py_GIL_DISABLED'] = 1; exec(sys.argv[2])"
    _add_python(bare, "python3", f'case "$1" in -c) exec "{sys.executable}" -c "{says}" "$@" ;; esac; echo a free one')
    result = _run(bare)
    assert result.returncode == 1
    assert "python3 is: a free one" in result.stderr
    _add_python(bare, "python3.12", f'case "$1" in -c) exec "{sys.executable}" "$@" ;; esac; echo chosen >&2; exit 1')
    assert "chosen" in _run(bare).stderr


def _add_venv(clone: Path, *, pip: str, uv: str) -> None:
    """A .venv that seems whole to the shell; what its pip and its uv do are shell commands."""
    venv_bin = clone / ".venv" / "bin"
    venv_bin.mkdir(parents=True)
    python = f"""case "$*" in
  *"-m pip"*) {pip} ;;
  *"-m labctl"*) exec "{sys.executable}" "$@" ;;
  *) echo "(3, 11)" ;;
esac"""
    for name, script in (("python", python), ("uv", uv)):
        (venv_bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (venv_bin / name).chmod(0o755)


def _stamp(clone: Path) -> Path:
    """Mark the .venv as made from this clone's lock, on this machine."""
    path = clone / ".venv" / "lab-runtime.stamp"
    made_from = f'cat "{clone}/requirements.lock" && echo "{clone}" && uname -sm && echo "(3, 11)"'
    stamp = subprocess.run(["bash", "-c", f"{{ {made_from}; }} | cksum"], capture_output=True, text=True, check=True)
    path.write_text(stamp.stdout)
    return path


@pytest.fixture
def without_tools(bare: Path) -> Path:
    """A clone with a .venv for the command line alone; pip and uv write down that they were asked for more."""
    fails = f': >"{bare}/installed"; exit 1'
    _add_venv(bare, pip=f"""case "$*" in *config*) ;; *) {fails} ;; esac""", uv=fails)
    _stamp(bare)
    return bare


@pytest.fixture
def half_made(bare: Path) -> Path:
    """A clone whose .venv is of an older lock; pip keeps what it is to install, uv what it was called with."""
    pip = f"""case "$*" in
    *config*) printf "%s\\n" "global.index-url='https://mirror.invalid/simple'" "global.timeout='9'" ;;
    *" install "*) for last; do :; done; cat "$last" >"{bare.parent}/to-install" ;;
    esac"""
    _add_venv(bare, pip=pip, uv=f'echo "${{UV_DEFAULT_INDEX:-none}} $*" >>"{bare.parent}/uv-calls"')
    _stamp(bare).write_text("another lock\n")
    return bare


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("report --since 0", 2, "30s to 6h"),
        ("report --help", 0, "--since"),
        ("report --output /dev/null", 2, "a folder"),
        ("report --since 15m", 1, "Prometheus does not answer"),
        ("bench fif", 2, "did you mean fifo?"),
        ("bench --sizes 8", 2, "sizes from 16"),
        ("bench --help", 0, "--compare"),
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


@pytest.mark.parametrize("command", [["test", "tests/unit"], ["bench", "instrumentation"], ["dashboards", "--check"]])
def test_what_needs_the_test_tools_gets_them(without_tools: Path, command: list[str]) -> None:
    result = _run(without_tools, None, *command)
    assert "adding the test tools" in result.stderr
    assert (without_tools / "installed").exists()


def test_it_finds_itself_through_symbolic_links(bare: Path) -> None:
    first, second = bare.parent / "first", bare.parent / "second"
    first.symlink_to("a clone/lab")
    second.symlink_to(first)
    # It gets as far as looking for a Python, and not to "requirements.lock: No such file".
    result = _run(bare, second)
    assert "no Python 3.11 or newer" in result.stderr
    assert "No such file" not in result.stderr


def test_bytecode_is_kept_where_the_environment_says_not_to(
    without_tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    python = without_tools / ".venv" / "bin" / "python"
    asked = f'exec "{sys.executable}" -c "import sys; print(sys.dont_write_bytecode)"'
    python.write_text(python.read_text().replace(f'exec "{sys.executable}" "$@"', asked))
    assert _run(without_tools, None, "version").stdout == "False\n"


def test_pip_installs_uv_alone_with_the_hashes_of_the_lock(half_made: Path) -> None:
    _run(half_made, None, "--help")
    lines = (half_made.parent / "to-install").read_text().splitlines()
    assert [line.split("==")[0] for line in lines if not line.startswith(" ")] == ["uv"]
    hashes = [line.strip(" \\").removeprefix("--hash=sha256:") for line in lines if "--hash" in line]
    assert hashes
    assert all(len(digest) == 64 for digest in hashes)


def test_uv_installs_the_rest_with_the_hashes_of_the_lock_from_the_mirror_of_pip(half_made: Path) -> None:
    _run(half_made, None, "--help")
    locked, editable = (half_made.parent / "uv-calls").read_text().splitlines()
    assert locked.startswith("https://mirror.invalid/simple pip install ")
    for words in ("--require-hashes", f"--constraint {half_made}/requirements.lock", f"{half_made}/pyproject.toml"):
        assert words in locked
    assert editable.endswith(f"--no-deps --no-build-isolation --editable {half_made}")


def test_a_venv_of_another_folder_is_made_anew(half_made: Path) -> None:
    """An editable install says where the packages are: a clone that was moved would run the old one's."""
    calls = half_made.parent / "uv-calls"
    _stamp(half_made)
    assert _run(half_made, None, "--help").returncode == 0
    assert not calls.exists()
    moved = half_made.rename(half_made.with_name("moved"))
    assert _run(moved, None, "--help").returncode == 0
    assert f"--editable {moved}" in calls.read_text()
