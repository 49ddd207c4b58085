"""The head of a request for a metrics page: which bytes are one, which are not yet, and which never will be.

Source: RFC 9112 (HTTP/1.1), sections 3 and 5; RFC 9110 for the status codes. No state, no socket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

MAX_HEAD_BYTES = 8192  # request line and headers; Prometheus sends 400
_END = b"\r\n\r\n"
_LINE = re.compile(rb"([!-~]+) ([!-~]+) HTTP/1\.([01])")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(rb"[0-9A-Za-z._~%\[\]:-]*")


class BadRequest(Exception):
    """The bytes are no request that is answered with a page; `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What a GET asks for."""

    path: str
    keep: bool  # the connection stays open after the answer
    length: int  # bytes of the head; what follows is the next request's


def parse(received: bytes | bytearray) -> Request | None:
    """The first request in these bytes; None where its end has not come yet.

    :raises BadRequest: no further byte can make it a GET without a body
    """
    end = received.find(_END, 0, MAX_HEAD_BYTES)
    if end < 0:
        if len(received) >= MAX_HEAD_BYTES:
            raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        line_end = received.find(b"\r\n")
        if line_end >= 0:  # a client of another protocol may wait for an answer to its first line
            _request_line(bytes(received[:line_end]))
        return None
    return _of_head(bytes(received[:end]))


@lru_cache(maxsize=4)  # Prometheus asks with the same words each second
def _of_head(head: bytes) -> Request:
    first, *fields = head.split(b"\r\n")
    path, keep = _request_line(first)
    hosts = 0
    for field in fields:
        name, colon, value = field.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        lower, value = name.lower(), value.strip(b" \t")
        if lower == b"host":
            hosts += 1
            if not _HOST.fullmatch(value):
                raise BadRequest(HTTPStatus.BAD_REQUEST)
        elif lower == b"connection":
            keep = keep and value.lower() != b"close"
        elif lower == b"transfer-encoding" or (lower == b"content-length" and value.strip(b"0")):
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if hosts > 1 or (not hosts and first.endswith(b"1")):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    return Request(path, keep, len(head) + len(_END))


def _request_line(line: bytes) -> tuple[str, bool]:
    """Path, and whether the version keeps connections open."""
    if not (words := _LINE.fullmatch(line)):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    if words[1] != b"GET":
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED)
    return words[2].decode("ascii"), words[3] == b"1"
