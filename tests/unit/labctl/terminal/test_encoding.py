"""Output in locales whose encoding lacks a sign that the lab writes, and files that are UTF-8 in all of them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import click
import pytest

from labctl.cli import cli
from labctl.config.paths import ROOT
from labctl.terminal.encoding import plain

_PRINTED = "✓ 164 µs, ✗ ENOENT, 1…2 → 한국 é ─"
# Each encoding has some of it: CP949 the Korean letters, Latin-1 the micro sign.
_EXPECTED = {
    "ascii": "yes 164 us, no ENOENT, 1...2 -> \\ud55c\\uad6d e -",
    "latin-1": "yes 164 µs, no ENOENT, 1...2 -> \\ud55c\\uad6d é -",
    "cp949": "yes 164 us, no ENOENT, 1…2 → 한국 e ─",
    "utf-8": _PRINTED,
}


def python(*arguments: str | bytes, environment: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Python with our packages, in this environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT / "tests",  # where `-c` finds the tests' own modules
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("encoding", _EXPECTED)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_an_encoding_lacks_is_written_in_plain_letters(encoding: str, stream: str) -> None:
    code = (
        "import sys; from labctl.terminal.encoding import accept_every_character; accept_every_character();"
        f"sys.{stream}.write({_PRINTED!r})"
    )
    done = python("-c", code, environment={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0, done.stderr.decode()
    assert getattr(done, stream).decode(encoding) == _EXPECTED[encoding]


def test_plain() -> None:
    assert plain("✓ 80.0 µs") == "yes 80.0 us"
    assert plain("Zoë ½") == "Zoe \\xbd", "a half is not 12"


# The C locale without Python's own remedies (PEP 538, 540): stdout is ASCII, and so are the names of files.
_C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
_LOCALES = [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp949"}, _C_LOCALE]
_ARGUMENTS = [
    (["mechanisms"], 0),
    (["mechanisms", "--markdown"], 0),
    (["up", "한국"], 2),
    (["up", "a" * 99], 2),
    (["--help"], 0),
]


@pytest.mark.parametrize("environment", _LOCALES, ids=["ascii", "cp949", "C"])
@pytest.mark.parametrize(("arguments", "code"), _ARGUMENTS, ids=["mechanisms", "markdown", "Korean", "long", "help"])
def test_commands_in_other_locales(arguments: list[str], code: int, environment: dict[str, str]) -> None:
    done = python("-m", "labctl", *arguments, environment=environment)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert bool(done.stdout) is (code == 0)


@pytest.mark.parametrize("module", ["bench", "dashboards"])
def test_so_do_the_tools(module: str) -> None:
    done = python("-m", module, "--help", environment=_C_LOCALE)
    assert done.returncode == 0, done.stderr
    done.stdout.decode("ascii")


def commands(command: click.Command, path: str = "./lab") -> Iterator[tuple[str, click.Command]]:
    """The command and all below it, by what one types."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(cli)), ids=[path for path, _ in commands(cli)])
def test_help_is_ascii(path: str, command: click.Command) -> None:
    """click writes it past our stdout, in UTF-8 where that is ASCII."""
    command.get_help(click.Context(command, info_name=path)).encode("ascii")


_ON_THE_HOST = [path for folder in ("scripts", "dashboards") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_file_and_no_program_is_read_in_the_locales_encoding() -> None:
    assert len(_ON_THE_HOST) > 50
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in _ON_THE_HOST
        for call in _in_the_locales_encoding(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "these need encoding="


def _in_the_locales_encoding(tree: ast.Module) -> Iterator[ast.Call]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        given = {keyword.arg for keyword in call.keywords}
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        words = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        is_binary = any(isinstance(word, str) and "b" in word for word in words)
        opens = name == "open" and isinstance(function, ast.Name) and not is_binary
        text = given & {"text", "universal_newlines"} and name in ("run", "Popen", "check_output")
        if (name in ("read_text", "write_text") or opens or text) and "encoding" not in given:
            yield call


def test_the_search_finds_what_it_is_for() -> None:
    found = _in_the_locales_encoding(ast.parse("p.read_text(); open('f'); open('f', 'rb'); run([], text=True)"))
    assert [ast.unparse(call) for call in found] == ["p.read_text()", "open('f')", "run([], text=True)"]
