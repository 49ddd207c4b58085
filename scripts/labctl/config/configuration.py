"""The settings: `.env`, and the environment, which wins. All of them are checked before anything starts.

The file `.env` beside compose.yaml is read whole, or refused with the number of the invalid line.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click

from ipclab.contract.channel import KEYS_PER_CHANNEL
from ipclab.metrics import definitions as metrics
from ipclab.runtime import settings
from labctl.config import compose_file, values
from labctl.config.paths import ENV_FILE
from labctl.config.values import refuse, shown
from labctl.terminal.errors import BadInput

_FORM = "lines of the form NAME=value"


def read(path: Path) -> dict[str, str]:
    """The variables that `path` sets.

    :raises BadInput: it cannot be read, or a line is no assignment
    """
    # python-dotenv takes 50 ms to import, and `--help` needs none of it.
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    text = _text(path)
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.string.strip().splitlines()[0]
            number = _line_of(text, binding.original.string)
            raise BadInput(
                f"{path.name} line {number}: invalid {shown(line)}: expected {_FORM}",
                hint="mend or remove that line; # begins a comment",
            )
    values = dotenv_values(stream=io.StringIO(text), interpolate=True)
    return {name: value for name, value in values.items() if value is not None}


def _line_of(text: str, statement: str) -> int:
    """The parser counts a statement's blank lines in front as its own; people do not."""
    begin = text.index(statement) + len(statement) - len(statement.lstrip())
    return text.count("\n", 0, begin) + 1


def _text(path: Path) -> str:
    hint = f"the lab's own is in the repository: git checkout {path.name}"
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"invalid byte {error.object[error.start]:#x} at offset {error.start} of {path.name}: expected UTF-8 text",
            hint="save it as UTF-8",
        ) from error
    except OSError as error:
        raise BadInput(
            f"{path.name} cannot be read ({error.strerror}): expected a readable file of {_FORM}", hint=hint
        ) from error


PROJECT = "COMPOSE_PROJECT_NAME"
SOURCE_HASH = "LAB_SOURCE_HASH"  # the command line's own word to the image build
STUDENT = "LAB_STUDENT"  # who does the exercises: no setting of the lab, and read by them alone
IMAGES = ("PYTHON_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE", "ENGINE_IMAGE")
IMAGE_TAG = "LAB_IMAGE_TAG"  # of the images that the lab builds itself
_DEFAULT_TAG = "local"
PUBLISHED_PORTS = ("LAB_GRAFANA_PORT", "LAB_PROMETHEUS_PORT", "LAB_PAGE_PORT")  # on 127.0.0.1
GRAFANA_URL = "LAB_GRAFANA_URL"  # a Grafana that is not the lab's own container; "" where there is none
CPUS = "LAB_CPUS"
UID = "LAB_UID"  # the user of the containers of x-app
# Whether the consumers of a mailbox are several; `./lab up --scale` decides. For those who use Compose alone:
# `ipclab.accounting.shared` names them, so they must not be refused here.
SHARED = {f"LAB_{name.upper()}_SHARED": compose_file.service_of(name, "consumer") for name in ("sysv_mq", "posix_mq")}
# Those of a channel, and those of the channel beside it, which has the replies: `matrix.request_reply`.
_RESPONDER_KEY, _RESPONDER_KEYS = "LAB_RESPONDER_KEY", 2 * KEYS_PER_CHANNEL


@dataclass(frozen=True)
class Configuration:
    """Every value is valid, and they fit each other."""

    project: str
    values: Mapping[str, str]

    @classmethod
    def load(cls, env_path: Path = ENV_FILE, environment: Mapping[str, str] = os.environ) -> Self:
        """Read and check everything.

        :raises BadInput: the first thing that is wrong
        """
        file = read(env_path)
        source = _Source(file, environment)
        _refuse_unknown(source)
        found = {name: str(source.number(setting)) for name, setting in _numbers().items()}
        found |= {name: source.on_or_off(switch) for name, switch in settings.SWITCHES.items()}
        found[settings.WAIT] = source.wait()
        for name in IMAGES:
            if name == "GRAFANA_IMAGE" and source.has(name) and not source.value(name):
                found[name] = ""  # asks for no Grafana
                continue
            found[name] = values.image_name(
                source.what(name), source.value(name), f"set it {source.place(name)}, with its tag"
            )
        hint = f"set it {source.place(IMAGE_TAG)}"
        found[IMAGE_TAG] = values.image_tag(source.what(IMAGE_TAG), source.value(IMAGE_TAG), hint)
        count = os.cpu_count() or 1
        several = "0,1 are two, " if count > 1 else ""
        hint = f"0 is one CPU, {several}nothing is any; change it {source.place(CPUS)}"
        found[CPUS] = values.cpus(f"{CPUS}={shown(source.value(CPUS))}", source.value(CPUS), count, hint)
        found[GRAFANA_URL] = values.web_address(GRAFANA_URL, source.value(GRAFANA_URL), source.place(GRAFANA_URL))
        configuration = cls(_project(source), found)
        configuration._check_together()
        return configuration

    def number(self, name: str) -> int:
        """A setting of `ipclab.runtime.settings` that is a number."""
        return int(self.values[name])

    @property
    def lab_image(self) -> str:
        """The image of every container of the lab's own."""
        return f"ipclab/lab:{self.values[IMAGE_TAG]}"

    def ports_of_pairs(self) -> set[int]:
        """The ports at which consumers listen, each on a network of its own."""
        return {self._meets_at(point) for point in compose_file.meeting_points() if point.option == "--port"}

    def environment(self) -> dict[str, str]:
        """What Compose needs to see: the same values, whatever it would have read itself."""
        return {**self.values, PROJECT: self.project}

    def check_size(self, mechanisms: Sequence[str], command: str) -> None:
        """The message size must fit every pair that `./lab COMMAND` is to run.

        :raises BadInput: it is over the maximum of one; the hint fits all of them
        """
        size = self.number("LAB_SIZE")
        limits = {mechanism: compose_file.max_message_bytes(mechanism) for mechanism in mechanisms}
        too_small = [mechanism for mechanism, limit in limits.items() if size > limit]
        if not too_small:
            return
        least = min(limits.values())
        others = " ".join(mechanism for mechanism in mechanisms if mechanism not in too_small)
        without = f", or leave {' and '.join(too_small)} out: LAB_SIZE={size} ./lab {command} {others}"
        raise refuse(
            f"LAB_SIZE={size}",
            expected=f"at most {least} bytes with {', '.join(too_small)}",
            hint=f"LAB_SIZE={least}{without if others else ''}",
        )

    def _check_together(self) -> None:
        found = self.values
        points = [point for point in compose_file.meeting_points() if point.variable]
        self._check_keys({point.variable or "": self._meets_at(point) for point in points if point.option == "--key"})
        for point in points:
            if point.option == "--port" and self._meets_at(point) == metrics.PORT:
                raise refuse(
                    f"{point.variable}={metrics.PORT}",
                    expected=f"another port than {metrics.PORT}, where every container shows its metrics",
                    hint="change it; any other will do",
                )
        for one, other in itertools.combinations(PUBLISHED_PORTS, 2):
            if found[one] == found[other]:
                raise refuse(
                    f"{one}={found[one]}",
                    expected=f"another port than {other}",
                    hint="change either; both listen on 127.0.0.1",
                )

    def _meets_at(self, point: compose_file.MeetingPoint) -> int:
        return self.number(point.variable) if point.variable else int(point.text)

    def _check_keys(self, keys: Mapping[str, int]) -> None:
        """No pair, and not the responder, may find the objects of another one."""
        seen: dict[int, str] = {}
        for name, key in keys.items():
            if key in seen:
                raise refuse(
                    f"{name}={key}",
                    expected=f"another key than {seen[key]}",
                    hint="one key would make `ipcs` show two objects under one name; change either",
                )
            seen[key] = name
        responder = self.number(_RESPONDER_KEY)
        for name, key in keys.items():
            if set(range(key, key + KEYS_PER_CHANNEL)) & set(range(responder, responder + _RESPONDER_KEYS)):
                raise refuse(
                    f"{_RESPONDER_KEY}={responder}",
                    expected=f"a key that with the next {_RESPONDER_KEYS - 1} is none of the "
                    f"{KEYS_PER_CHANNEL} from {name}={key} on",
                    hint="the probes would talk to a pair; change either",
                )


def _numbers() -> dict[str, settings.Setting]:
    """The settings that are numbers: the lab's own, and those by which compose.yaml tells a pair where to meet."""
    named = {point.variable: point.option for point in compose_file.meeting_points() if point.variable}
    return settings.SETTINGS | {name: settings.of_address(name, option) for name, option in named.items()}


def _named() -> list[str]:
    """What begins with LAB_ and is the user's."""
    return [*_numbers(), *settings.SWITCHES, settings.WAIT, CPUS, IMAGE_TAG, GRAFANA_URL]


def project_name(env_path: Path = ENV_FILE, environment: Mapping[str, str] = os.environ) -> str:
    """The project's name alone, so that `./lab down` works whatever else is wrong.

    :raises BadInput: it is no name, or it may be in a `.env` that cannot be read
    """
    if PROJECT in environment:
        return _project(_Source({}, environment))
    try:
        return _project(_Source(read(env_path), environment))
    except BadInput as error:
        if env_path.is_file() and error.message.startswith(f"{env_path.name} line"):
            raise BadInput(error.message, hint=f"{error.hint}; or name the lab: {PROJECT}=… ./lab down") from error
        raise


def lab_image(env_path: Path = ENV_FILE, environment: Mapping[str, str] = os.environ) -> str:
    """The lab's own image by name, for `./lab down`; the default's where `.env` cannot be read."""
    if IMAGE_TAG in environment:
        return f"ipclab/lab:{environment[IMAGE_TAG]}"
    try:
        return f"ipclab/lab:{read(env_path).get(IMAGE_TAG, _DEFAULT_TAG)}"
    except BadInput:
        return f"ipclab/lab:{_DEFAULT_TAG}"


class _Source:
    """Where a value comes from, for the message about it."""

    def __init__(self, file: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment

    def has(self, name: str) -> bool:
        return name in self._environment or name in self._file

    def names(self) -> list[str]:
        return [*self._environment, *self._file]

    def value(self, name: str) -> str:
        return self._environment[name] if name in self._environment else self._file.get(name, "")

    def place(self, name: str) -> str:
        return "in the environment" if name in self._environment else "in .env"

    def what(self, name: str) -> str:
        return f"{name}={shown(self.value(name))}" if self.has(name) else f"{name} is not set"

    def number(self, setting: settings.Setting) -> int:
        assert isinstance(setting.type, click.IntRange)
        hint = f"{setting.hint}; change it {self.place(setting.name)}"
        return values.whole_number(self.what(setting.name), self.value(setting.name), setting.type, hint)

    def wait(self) -> str:
        hint = f"block sleeps until it is woken, spin keeps a CPU busy; change it {self.place(settings.WAIT)}"
        return values.one_of(self.what(settings.WAIT), self.value(settings.WAIT), settings.WAITS, hint)

    def on_or_off(self, setting: settings.OnOff) -> str:
        hint = f"{setting.hint}; change it {self.place(setting.name)}"
        return values.one_of(self.what(setting.name), self.value(setting.name), settings.ON_OFF, hint)


def _project(source: _Source) -> str:
    if not source.has(PROJECT):
        return compose_file.default_project()
    hint = f"change it {source.place(PROJECT)}, or remove it to get {compose_file.default_project()}"
    return values.project_name(source.what(PROJECT), source.value(PROJECT), hint)


_RENAMED = {"LAB_SYNC": "LAB_RACE_LOCK", "LAB_FILE_LOCK": "LAB_APPEND_LOCK"}


def _renamed(name: str) -> str:
    return f"{name} is called {_RENAMED[name]} now" if name in _RENAMED else ""


def _refuse_unknown(source: _Source) -> None:
    """A misspelt variable would change nothing and say nothing."""
    named = _named()
    known = {*named, *SHARED, SOURCE_HASH, STUDENT}
    for name in sorted(source.names()):
        if name.startswith("LAB_") and name not in known:
            raise BadInput(
                f"unknown setting {shown(name)}={shown(source.value(name))} {source.place(name)}: "
                f"expected one of {', '.join(named)}",
                hint=_renamed(name) or values.did_you_mean(name, named, prefix="LAB_"),
            )
