"""Run the check of an exercise. A lab that does not answer is no wrong solution: the verdict is then "cannot tell"."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

import requests
from docker.errors import DockerException, NotFound

from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell

Check = Callable[[Attempt], Verdict]


def judge(attempt: Attempt) -> Verdict:
    """The verdict of the exercise's check; "cannot tell" where the lab, its engine or a container does not answer."""
    check = check_of(attempt.exercise.folder)
    try:
        return check(attempt)
    except LabError as error:
        return cannot_tell(error.message)
    except NotFound:
        return cannot_tell("a container was removed while the check looked at it")
    except (DockerException, requests.RequestException) as error:  # an engine that ended
        return cannot_tell(f"the Docker Engine failed: {one_line(error)}")


@cache
def check_of(folder: Path) -> Check:
    """The function `check` of the folder's `check.py`.

    :raises LabError: there is none
    """
    file = folder / "check.py"
    specification = importlib.util.spec_from_file_location(f"exercise_{folder.name}", file)
    if specification is None or specification.loader is None or not file.is_file():
        raise LabError(f"{file} is missing", hint="docs/ADDING_AN_EXERCISE.md shows a whole exercise")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    check: Check = module.check
    return check
