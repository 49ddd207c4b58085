"""The responder's echo endpoints: where they are, and the loop of one."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from ipclab import mechanisms, round_trip
from ipclab.contract.channel import Address, Kind, Mechanism, Sharing
from ipclab.contract.errors import AccessRefused, ChannelError, PeerGone, ReceiveTimeout, Unusable
from ipclab.contract.optional import Answerer
from ipclab.runtime.lifecycle import Stop, log

# A question is a few bytes; one that does not fit is refused like any message that is too large.
_BUFFER_BYTES = 4096
_WAIT_S = 0.5
_RETRY_S = 0.5


def addresses(base: Address) -> dict[str, Address]:
    """Every mechanism's endpoint; `base.path` is a directory. The names are none of a pair's.

    A port serves one byte stream and one socket of datagrams; the next mechanism of the same kind has the next port.
    """
    used: Counter[Kind] = Counter()
    made = {}
    for name in mechanisms.names():
        traits = mechanisms.load(name).traits
        port = base.port
        if Sharing.NETWORK in traits.requires:
            port += used[traits.kind]
            used[traits.kind] += 1
        made[name] = replace(base, path=base.path / f"echo-{name.replace('_', '-')}", port=port)
    return made


def echo(mechanism: Mechanism, address: Address, stop: Stop) -> None:
    """Answer every question with itself until told to stop; leave nothing."""
    complaint = ""
    while not stop.requested:
        try:
            answerer = round_trip.create_answerer(mechanism, address)
        except (AccessRefused, PeerGone, Unusable) as error:
            if str(error) != complaint:
                complaint = str(error)
                log.warning("no echo endpoint, trying again: %s", error)
            time.sleep(_RETRY_S)
            continue
        complaint = ""
        try:
            _answer(answerer, stop)
        except PeerGone as error:
            log.warning("making the echo endpoint again: %s", error)
        finally:
            answerer.remove()


def _answer(answerer: Answerer, stop: Stop) -> None:
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    while not stop.requested:
        try:
            length = answerer.receive_into(buffer, _WAIT_S)
        except PeerGone:
            raise
        except ChannelError as error:
            if not isinstance(error, ReceiveTimeout):
                log.warning("no question: %s", error)
            continue
        try:
            answerer.reply(buffer[:length], _WAIT_S)
        except ChannelError as error:  # whoever asked has gone, or does not listen
            log.warning("no reply: %s", error)
