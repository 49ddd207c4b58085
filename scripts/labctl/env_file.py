"""The file `.env` beside compose.yaml: read whole, or refused with the line that is wrong."""

from __future__ import annotations

import io
from pathlib import Path

from labctl.terminal.errors import BadInput
from labctl.values import shown

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
            raise BadInput(
                f"{path.name} line {_line_of(text, binding.original.string)} is {shown(line)}: allowed are {_FORM}",
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
            f"{path.name} has byte {error.object[error.start]:#x} at offset {error.start}: allowed is UTF-8 text",
            hint="save it as UTF-8",
        ) from error
    except OSError as error:
        raise BadInput(
            f"{path.name} cannot be read ({error.strerror}): allowed is a readable file of {_FORM}", hint=hint
        ) from error
