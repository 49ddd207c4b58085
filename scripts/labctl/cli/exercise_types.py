"""What `./lab exercise` takes: a number, a language, files and folders."""

from __future__ import annotations

import os
from pathlib import Path

import click

from labctl.cli.types import is_possible
from labctl.config.values import one_of, shown
from labctl.terminal.errors import BadInput
from labctl.workshop.exercise.exercise import Exercise, find
from labctl.workshop.exercise.language import Language


class ExerciseNumber(click.ParamType[Exercise]):
    """The number of an exercise."""

    name = "number"

    def convert(self, value: str | Exercise, param: click.Parameter | None, ctx: click.Context | None) -> Exercise:
        """The exercise.

        :raises BadInput: there is none of that number
        """
        del param, ctx
        return find(value) if isinstance(value, str) else value


class LanguageName(click.ParamType[Language]):
    """A language that the exercises have."""

    name = "language"

    def convert(self, value: str | Language, param: click.Parameter | None, ctx: click.Context | None) -> Language:
        """The language.

        :raises BadInput: the exercises do not have it
        """
        del param, ctx
        known = [str(language) for language in Language]
        return Language(one_of(f"--language {shown(value)}", value, known, "the default is the language of the shell"))


class NewFile(click.ParamType[Path]):
    """A file that can be made: its folder exists."""

    name = "file"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        :raises BadInput: its folder does not exist, or it is a folder
        """
        del ctx
        assert param is not None
        path = Path(value)
        if not is_possible(path) or path.is_dir() or not path.parent.is_dir():
            raise BadInput(
                f"invalid {param.opts[0]} {shown(str(value))}: expected a file in a folder that exists",
                hint=f"{param.opts[0]} progress.json",
            )
        return path


class ExistingFolder(click.ParamType[Path]):
    """A folder that can be read."""

    name = "folder"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        :raises BadInput: it is no folder, or may not be read
        """
        del param, ctx
        path = Path(value)
        if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK):
            raise BadInput(
                f"invalid FOLDER {shown(str(value))}: expected a folder with the files that students exported",
                hint="./lab exercise progress --export NAME.json writes one",
            )
        return path
