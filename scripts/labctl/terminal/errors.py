"""How the command line says that something went wrong.

Every failure a user can meet is a `LabError`; `labctl.main.main` prints it as one line and exits with its
code. A user never sees a traceback.
"""

from __future__ import annotations


class LabError(Exception):
    """Something failed: what was tried, with which value, and what to do next.

    `str(error)` is one line: the message, then the hint in parentheses.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})"


class Silent(LabError):
    """A server of the lab does not answer at its port of this machine."""


class BadInput(LabError):
    """The user asked for something that is not allowed; nothing was changed."""

    exit_code = 2
