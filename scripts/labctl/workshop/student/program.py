"""The student's file: what can be said of it before anything runs, and how a container runs it.

A Python file is run by the Python of the lab's image. Any other program is run as it is: a static executable, or a
script that begins with #! (execve(2)).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from labctl.terminal.errors import BadInput
from labctl.terminal.printing import one_line

MOST_BYTES = 4 << 20
_FOLDER = "/state"  # on a volume: the container's root is read-only
_RUNS_AS_IT_IS = (b"#!", b"\x7fELF")


@dataclass(frozen=True)
class Program:
    """One file, read once."""

    name: str
    content: bytes

    @property
    def command(self) -> list[str]:
        """What runs it in a container."""
        path = f"{_FOLDER}/{self.name}"
        return ["python", path] if self.name.endswith(".py") else [path]

    @property
    def folder(self) -> str:
        """Where it is in a container."""
        return _FOLDER


def read(path: Path) -> Program:
    """The program of a file.

    :raises BadInput: it cannot be read, is too large, does not parse, or is nothing that runs; nothing was started
    """
    hint = "the starter file is in the folder of the exercise; ./lab exercise hint"
    try:
        size = path.stat().st_size
        content = path.read_bytes() if path.is_file() and size <= MOST_BYTES else None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    if content is None:
        what = f"{size:,} bytes" if path.is_file() else "no regular file"
        raise BadInput(f"{path} is {what}: expected a file of at most {MOST_BYTES:,} bytes", hint=hint)
    if path.suffix == ".py":
        _check_python(path, content)
    elif not content.startswith(_RUNS_AS_IT_IS):
        raise BadInput(f"{path} is no program: expected NAME.py, a Linux executable or a #! script", hint=hint)
    return Program(path.name, content)


def _check_python(path: Path, content: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        place = f" line {error.lineno}" if error.lineno else ""
        raise BadInput(
            f"{path}{place} does not parse: {one_line(error.msg)}", hint=f"python3 -m py_compile {path}"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL byte; brackets without end
        raise BadInput(
            f"{path} does not parse: {one_line(error) or type(error).__name__}", hint=f"python3 -m py_compile {path}"
        ) from error
