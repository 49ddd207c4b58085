"""Settings that make no sense, in `.env` and in the environment: refused in one line, before anything starts."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from ipclab.runtime import settings
from labctl.config import configuration
from labctl.config.configuration import Configuration
from labctl.config.paths import ENV_FILE
from labctl.workshop.exercise import language, student
from support.garbage import Garbage, may_refuse, noise

# What a variable may be called. The kernel takes any bytes but 0 and =, and Python makes surrogates of some (PEP 383).
_KNOWN = st.sampled_from(
    [
        *(*settings.SETTINGS, *settings.SWITCHES, settings.WAIT, configuration.CPUS, configuration.IMAGE_TAG),
        *(*configuration.IMAGES, configuration.GRAFANA_URL, configuration.PROJECT, configuration.STUDENT),
        *(*configuration.SHARED, "LC_ALL", "LANG", "LAB_SYNC", "LAB_", "LAB_RATES"),
    ]
)
_SOUND = (b"200", b"0,1", b"0-1", b"on", b"spin", b"local", b"lab-1", b"anna", b"ko_KR.UTF-8", b"python:3.13-slim")
_ODD = ("", "-1", "0", "007", "1e9", "1_000", "٣", "²", "9" * 5000, " 5", "5\n", "\x1b[2J", "\udcff", "\u2028", "a\nb")
_ADDRESSES = (b"http://127.0.0.1:3000", b"https://user:word@host:443/grafana", b"http://[::1]:3000")


def _as_python_has_it(content: bytes) -> str:
    return content.replace(b"\0", b"").decode("utf-8", "surrogateescape")


_VALUES = st.one_of(st.sampled_from(_ODD), noise(*_SOUND, *_ADDRESSES).map(_as_python_has_it))
_NAMES = st.one_of(_KNOWN, noise(b"LAB_RATE").map(lambda name: f"LAB_{_as_python_has_it(name).replace('=', '')}"))


def test_the_settings_are_read_or_one_line_says_why_not(garbage: Garbage, in_memory: Path) -> None:
    sound = ENV_FILE.read_bytes()
    lines = [line for line in sound.splitlines(keepends=True) if line.strip() and not line.startswith(b"#")]
    values = st.sampled_from(
        [b"", b"-1", b"0", b"1e9", b"\xff", b"${LAB_RATE}", b"'", b'"\\', b" # ", b"\0", b"9" * 5000]
    )

    def reader(given: tuple[bytes, int, bytes]) -> None:
        garbled, index, value = given
        in_memory.write_bytes(garbled)
        with may_refuse():
            "".join([*configuration.read(in_memory).values()]).encode()
        replaced = lines[index].partition(b"=")[0] + b"=" + value + b"\n"
        in_memory.write_bytes(b"".join([*lines[:index], replaced, *lines[index + 1 :]]))
        with may_refuse():
            Configuration.load(in_memory, {})

    garbage(st.tuples(noise(b"".join(lines[:6]), *lines), st.integers(0, len(lines) - 1), values), reader)


def test_any_variables_of_the_environment_are_taken_or_refused_in_one_line(garbage: Garbage) -> None:
    def reader(variables: list[tuple[str, str]]) -> None:
        environment = dict(variables)
        with may_refuse():
            found = Configuration.load(environment=environment)
            assert all(f"{name}={value}".isprintable() for name, value in found.environment().items())
        with may_refuse():
            assert configuration.project_name(environment=environment).isprintable()
        with may_refuse():
            assert student.name(environment).isprintable()
        assert language.usual(environment) in language.Language

    garbage(st.lists(st.tuples(_NAMES, _VALUES), max_size=4), reader)
