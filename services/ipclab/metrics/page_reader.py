"""Reads the metrics page of another container, for a label or two of it.

An HTTP client and a parser of the standard library and of Prometheus would need 8 MiB more in every container.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

_RECEIVE_BYTES = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_LABEL = re.compile(r'([a-z_]+)="([^"\\]*)"')


def read_page(host: str, port: int, within_s: float) -> str:
    """The page at `http://host:port/metrics`; `within_s` is for each step: to connect, and to receive.

    :raises OSError: there is no answer
    :raises ValueError: the answer is no page, or half of one
    """
    request = f"GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    with socket.create_connection((host, port), within_s) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(_RECEIVE_BYTES), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode(errors="replace")
    if " 200 " not in status:
        raise ValueError(f"no page, but {status or 'an empty answer'}")
    if (length := _LENGTH.search(head)) and len(body) < int(length[1]):
        raise ValueError(f"{len(body)} bytes of {int(length[1])}")
    return body.decode()


def labels_in(page: str, series: str) -> Iterator[dict[str, str]]:
    """The labels of each sample of a series, on a page of the lab, whose labels need no escape."""
    for line in page.splitlines():
        if line.startswith(f"{series}{{"):
            yield dict(_LABEL.findall(line.rpartition("}")[0]))
