"""The address of the responder: that of a name, a given address, or the one on the responder's metrics page.

A probe that shares no network with the responder cannot resolve the responder's name, and would fail for that alone.
The responder therefore exports its address on its page, which every container reaches on the network `metrics`. The
probe tries this address, and the kernel answers.
"""

from __future__ import annotations

from collections.abc import Callable

from ipclab.building_blocks.connections import socket_error
from ipclab.building_blocks.inet_address import own_address
from ipclab.contract.errors import NOT_TOLD, PeerAbsent
from ipclab.metrics import definitions as metrics
from ipclab.metrics.page_reader import labels_in, read_page

_WITHIN_S = 1.0
_SERIES = metrics.LISTEN_INFO.name

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
        self._host = host
        self._last = ""

    def __call__(self) -> str:
        """The address.

        :raises PeerAbsent: it never said one
        """
        try:
            page = read_page(self._host, metrics.PORT, _WITHIN_S)
            self._last = next((labels["address"] for labels in labels_in(page, _SERIES)), self._last)
        except (OSError, ValueError, KeyError) as error:  # no answer; half of one; one that is no metrics page
            if not self._last:
                raise self._absent(f": {error}") from error
        if not self._last:
            raise self._absent()
        return self._last

    def _absent(self, why: str = "") -> PeerAbsent:
        return PeerAbsent(f"the page of {self._host} does not say the responder's address{why}", code=NOT_TOLD)
