"""The address of the responder: that of a name, a given address, or the one on the responder's metrics page.

A probe that shares no network with the responder cannot resolve the responder's name, and would fail for that alone.
The responder therefore exports its address on its page, which every container reaches on the network `metrics`. The
probe tries this address, and the kernel answers.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

from ipclab.building_blocks.connections import socket_error
from ipclab.building_blocks.inet_address import own_address
from ipclab.contract.errors import NOT_TOLD, PeerAbsent
from ipclab.metrics import definitions as metrics

_WITHIN_S = 1.0

Locate = Callable[[], str]


def given(host: str) -> Locate:
    """A host that was named on the command line."""
    return lambda: host


def own(host: str) -> Locate:
    """The address that this container has under the name `host`."""

    def locate() -> str:
        try:
            return own_address(host, 0)[0]
        except OSError as error:
            raise socket_error(f"host {host}", error) from error

    return locate


class Told:
    """The address on the page of the container `host`; the last one while the page does not answer."""

    def __init__(self, host: str) -> None:
        self._url = f"http://{host}:{metrics.PORT}/metrics"
        self._last = ""

    def __call__(self) -> str:
        """The address.

        :raises PeerAbsent: it never said one
        """
        try:
            with urllib.request.urlopen(self._url, timeout=_WITHIN_S) as response:
                self._last = _address_in(response.read().decode()) or self._last
        except (OSError, HTTPException, ValueError) as error:  # no answer; half of one; one that is no metrics page
            if not self._last:
                raise PeerAbsent(f"{self._url} does not say the responder's address: {error}", code=NOT_TOLD) from error
        if not self._last:
            raise PeerAbsent(f"{self._url} does not say the responder's address", code=NOT_TOLD)
        return self._last


def _address_in(page: str) -> str:
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == metrics.LISTEN_INFO.name:
                return sample.labels["address"]
    return ""
