"""Checks of single values. A wrong value becomes one line: the name, the value, what is expected, and a hint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import click

from labctl.terminal.errors import BadInput

_SHOWN_LENGTH = 60
_PART, _CANDIDATES = 2, 4  # letters that a part of a name has, and how many names with that part are worth a hint
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,19})")  # int() refuses more than 4,300 digits in words of its own
_PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IMAGE_NAME = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]*")


def shown(value: str) -> str:
    """`value` as it fits into one line: quoted where it would be invisible, cut where it is long."""
    text = value if value and value.isprintable() and value == value.strip() else repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


def refuse(what: str, *, expected: str, hint: str) -> BadInput:
    """The error for one wrong value; `what` is the variable or option with its value, `NAME=value`.

    A fact that is no wrong value ("there is no second host") is a `BadInput` of its own.
    """
    return BadInput(f"invalid {what}: expected {expected}", hint=hint)


def whole_number(what: str, value: str, allowed: click.IntRange, hint: str) -> int:
    """`value` as a number within `allowed`.

    Stricter than `int()`, because Compose and the shell read the same text: no sign, no `1_000`, no `007`.

    :raises BadInput: it is none
    """
    low, high = allowed.min, allowed.max
    assert low is not None
    assert high is not None
    if not _WHOLE_NUMBER.fullmatch(value) or not low <= int(value) <= high:
        raise refuse(what, expected=f"a whole number from {low} to {high}", hint=hint)
    return int(value)


def one_of(what: str, value: str, allowed: Sequence[str], hint: str) -> str:
    """`value`, which is one of a few words.

    :raises BadInput: it is none of them
    """
    if value not in allowed:
        raise refuse(what, expected=" or ".join(allowed), hint=hint)
    return value


def known_name(what: str, value: str, known: Sequence[str]) -> str:
    """`value`, which is one of the names that there are.

    :raises BadInput: it is none of them; the hint is the nearest one
    """
    if value not in known:
        raise refuse(what, expected=f"one of {', '.join(known)}", hint=did_you_mean(value, known))
    return value


def project_name(what: str, value: str, hint: str) -> str:
    """`value` as a Compose project name (https://docs.docker.com/compose/how-tos/project-name).

    :raises BadInput: it is none
    """
    expected = "a name of a-z, 0-9, _ and -, beginning with a letter or a digit"
    return _matching(_PROJECT_NAME, what, value, expected=expected, hint=hint)


def image_name(what: str, value: str, hint: str) -> str:
    """`value` as a container image's name.

    :raises BadInput: it is none
    """
    return _matching(_IMAGE_NAME, what, value, expected="the name of an image, such as registry/name:tag", hint=hint)


def cpus(what: str, value: str, count: int, hint: str) -> str:
    """`value` as a list of a machine's `count` CPUs, as Compose takes it for `cpuset`; empty is any.

    :raises BadInput: it is no such list
    """
    expected = "CPU 0" if count == 1 else f"CPUs from 0 to {count - 1}, as in 0 or 0,1 or 0-1"
    for part in value.split(",") if value else ():
        ends = part.split("-")
        if not 1 <= len(ends) <= 2 or not all(_WHOLE_NUMBER.fullmatch(end) and 0 <= int(end) < count for end in ends):
            raise refuse(what, expected=expected, hint=hint)
        if int(ends[0]) > int(ends[-1]):
            raise refuse(what, expected=expected, hint=hint)
    return value


def image_tag(what: str, value: str, hint: str) -> str:
    """`value` as the tag of an image (https://docs.docker.com/reference/cli/docker/image/tag).

    :raises BadInput: it is none
    """
    return _matching(_IMAGE_TAG, what, value, expected="a tag of up to 128 letters, digits, _, . and -", hint=hint)


def web_address(name: str, value: str, place: str) -> str:
    """`value` as the address of a web server, with or without user and password; "" stays "".

    :raises BadInput: it is none; a password in it is not shown
    """
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:  # a port that is none
        good = False
    if not good or value != value.strip() or not value.isprintable():  # urlsplit drops a line's end
        without_secret = value.rpartition("@")[2] if "@" in value else value
        raise refuse(
            f"{name}={shown(without_secret)}",
            expected="http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
            hint=f"change it {place}; empty is the lab's own Grafana",
        )
    return value


def _matching(pattern: re.Pattern[str], what: str, value: str, *, expected: str, hint: str) -> str:
    if not pattern.fullmatch(value):
        raise refuse(what, expected=expected, hint=hint)
    return value


def did_you_mean(value: str, known: Iterable[str], *, prefix: str = "") -> str:
    """The hint for a name nobody knows: those that contain it, the nearest one, or to remove it.

    What all names begin with, `prefix`, makes none of them near.
    """
    names = {name.removeprefix(prefix): name for name in known}
    part = value.removeprefix(prefix).lower()
    containing = [full for name, full in names.items() if len(part) >= _PART and part in name.lower()]
    if 0 < len(containing) <= _CANDIDATES:
        return f"did you mean {' or '.join(sorted(containing))}?"
    nearest = difflib.get_close_matches(value.removeprefix(prefix).lower(), [n.lower() for n in names], n=1)
    if nearest:
        return "did you mean " + next(full for name, full in names.items() if name.lower() == nearest[0]) + "?"
    return "no known name is near; correct or remove it"
