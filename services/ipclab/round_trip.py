"""Ask and be answered, by any mechanism: on one channel where it goes both ways, else over a second one back.

    with round_trip.create_answerer(mechanism, address) as answerer:      # one process
        length = answerer.receive_into(buffer, 1.0)
        answerer.reply(buffer[:length], 1.0)
    with round_trip.open_asker(mechanism, address) as asker:              # another one
        asker.send(question, 1.0)
        length = asker.receive_into(answer, 1.0)

After an error close the asker and open another: see `ipclab.contract.optional`. Between the opening and the closing
nothing
is looked up and nothing is made: `send`, `receive_into` and `reply` are the mechanism's own, but for one comparison
in the answerer's `receive_into` of a one-way channel.
"""

from __future__ import annotations

from ipclab.contract.channel import Address, Mechanism
from ipclab.contract.optional import Answerer, Asker, TwoWay
from ipclab.half_duplex import HalfDuplexAnswerer, HalfDuplexAsker


def create_answerer(mechanism: Mechanism, address: Address) -> Answerer:
    """Whoever owns the channel at `address` and answers there. Its buffer must hold 64 bytes or more.

    :raises ChannelError: as `Mechanism.create_receiver` does
    """
    if isinstance(mechanism, TwoWay):
        return mechanism.create_answerer(address)
    return HalfDuplexAnswerer(mechanism, address)


def open_asker(mechanism: Mechanism, address: Address, timeout_s: float = 1.0) -> Asker:
    """Whoever asks at `address`. On a one-way channel it waits for its turn and for an answerer that lives.

    :raises ChannelError: as `Mechanism.open_sender` does, and on a one-way channel, after `timeout_s`:
    :raises PeerAbsent: nobody answered the introduction (ETIMEDOUT)
    :raises ChannelFull: somebody else asked all the time (EBUSY)
    """
    if isinstance(mechanism, TwoWay):
        return mechanism.open_asker(address)
    return HalfDuplexAsker(mechanism, address, timeout_s)
