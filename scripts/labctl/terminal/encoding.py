"""Output in every locale: what the terminal's encoding lacks is written in plain letters, never a UnicodeEncodeError.

    ✓ 164 µs      in UTF-8
    yes 164 us    in ASCII, Latin-1 and CP949, each where it lacks the character

Python calls the handler for each character that an encoding lacks (codecs.register_error, PEP 293).
"""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_HANDLER = "ipclab.plain"
_PLAIN = {
    "✓": "yes",
    "✗": "no",
    "µ": "u",
    "…": "...",
    "▶": ">",
    "→": "->",
    "─": "-",
    "│": "|",
}


def accept_every_character() -> None:
    """Make stdout and stderr take every text, whatever their encoding is."""
    codecs.register_error(_HANDLER, _in_plain_letters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def plain(text: str) -> str:
    """The text in ASCII: known signs in words, letters without their accents, the rest as escapes."""
    return "".join(_plain_character(character) for character in text)


def _in_plain_letters(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= character <= "\udcff" for character in text):
        # Bytes of an argument or a file's name that Python could not decode (PEP 383): they go out as they came in.
        return text.encode("utf-8", "surrogateescape"), error.end
    return plain(text), error.end


def _plain_character(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters if letters.isalpha() else character.encode("ascii", "backslashreplace").decode()
