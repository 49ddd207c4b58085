"""IPv4 packets as they are on the link: read, cut into smaller TCP segments, and answered by a reset.

Sources: RFC 791, RFC 9293, RFC 1071 (checksum). A packet between two containers of one machine carries no checksum of
its own: the kernel notes what is left to do in a `virtio_net_hdr`, which packet(7) sockets show before the frame
(PACKET_VNET_HDR, <linux/virtio_net.h>). A packet that is made here leaves the same to the kernel.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

VNET_BYTES = 10
ETHERNET_BYTES = 14
_VNET = struct.Struct("=BBHHHH")
_NEEDS_CHECKSUM = 1
_TCP_CHECKSUM_AT = 16
_TOTAL_LENGTH_AT, _CHECKSUM_AT, _PROTOCOL_AT, _SOURCE_AT, _DESTINATION_AT = 2, 10, 9, 12, 16
_SEQUENCE_AT, _ACKNOWLEDGED_AT, _OFFSET_AT, _FLAGS_AT = 4, 8, 12, 13
_LEAST_HEAD_BYTES = 20  # of IPv4, and of TCP
_FIN, _RST, _PSH, _ACK = 0x01, 0x04, 0x08, 0x10


@dataclass(frozen=True)
class Packet:
    """One IPv4 packet in its Ethernet frame, with the header of what is left to the kernel."""

    vnet: bytes
    frame: bytes

    @property
    def _ip(self) -> bytes:
        return self.frame[ETHERNET_BYTES:]

    @property
    def is_ipv4(self) -> bool:
        """Whether it is whole enough to be read: its header has at least 20 bytes, and they are there."""
        is_whole = len(self.frame) >= ETHERNET_BYTES + _LEAST_HEAD_BYTES and self.frame[ETHERNET_BYTES] >> 4 == 4
        return is_whole and _LEAST_HEAD_BYTES <= self._ip_bytes <= len(self._ip)

    @property
    def destination(self) -> str:
        """The IPv4 address that it goes to."""
        return socket.inet_ntoa(self._ip[_DESTINATION_AT : _DESTINATION_AT + 4])

    @property
    def source(self) -> str:
        """The IPv4 address that it comes from."""
        return socket.inet_ntoa(self._ip[_SOURCE_AT : _SOURCE_AT + 4])

    @property
    def is_tcp(self) -> bool:
        """Whether it is a TCP segment with a whole header."""
        if self._ip[_PROTOCOL_AT] != socket.IPPROTO_TCP or len(self._ip) < self._ip_bytes + _LEAST_HEAD_BYTES:
            return False
        return self._ip_bytes + _LEAST_HEAD_BYTES <= self._head_bytes <= len(self._ip)

    @property
    def _ip_bytes(self) -> int:
        return (self._ip[0] & 0xF) * 4

    @property
    def _head_bytes(self) -> int:
        """Of the IPv4 and the TCP header."""
        return self._ip_bytes + (self._ip[self._ip_bytes + _OFFSET_AT] >> 4) * 4

    @property
    def payload(self) -> bytes:
        """What the TCP segment carries."""
        (total,) = struct.unpack_from("!H", self._ip, _TOTAL_LENGTH_AT)
        return self._ip[self._head_bytes : total or None]

    def to(self, link_address: bytes, own: bytes) -> Packet:
        """The same packet, on the link from `own` to another link address."""
        return Packet(self.vnet, link_address + own + self.frame[12:])

    def sliced(self, most_bytes: int) -> Iterator[Packet]:
        """The same bytes of the stream, in TCP segments of at most so many; one that is short stays as it is."""
        payload = self.payload
        if len(payload) <= most_bytes:
            yield self
            return
        for begin in range(0, len(payload), most_bytes):
            part = payload[begin : begin + most_bytes]
            is_last = begin + len(part) == len(payload)
            yield self._segment(part, begin, clears=0 if is_last else _FIN | _PSH)

    def _segment(self, part: bytes, begin: int, *, clears: int) -> Packet:
        head = bytearray(self._ip[: self._head_bytes])
        (sequence,) = struct.unpack_from("!I", head, self._ip_bytes + _SEQUENCE_AT)
        struct.pack_into("!I", head, self._ip_bytes + _SEQUENCE_AT, (sequence + begin) & 0xFFFFFFFF)
        head[self._ip_bytes + _FLAGS_AT] &= ~clears
        return _made(self.frame[:ETHERNET_BYTES], head, self._ip_bytes, part)

    def resets(self) -> tuple[Packet, Packet]:
        """The two segments that end its connection: for who sent it, and for who was to get it (RFC 9293, 3.5.2).

        A reset counts only if its number is the very next one: of the sender it is what the segment acknowledges, of
        the receiver what the segment begins with, so the segment itself must not be delivered (RFC 5961).
        """
        tcp = self._ip[self._ip_bytes : self._ip_bytes + 20]
        ports, sequence, acknowledged = tcp[:_SEQUENCE_AT], tcp[_SEQUENCE_AT:_ACKNOWLEDGED_AT], tcp[_ACKNOWLEDGED_AT:12]
        there = bytearray(self._ip[:20])
        back = bytearray(there)
        there[0] = back[0] = 0x45
        back[_SOURCE_AT : _SOURCE_AT + 4], back[_DESTINATION_AT : _DESTINATION_AT + 4] = there[16:20], there[12:16]
        to_sender = ports[2:] + ports[:2] + acknowledged + bytes(4)
        to_receiver = ports + sequence + bytes(4)
        tail = bytes((0x50, _RST)) + bytes(6)
        turned = self.frame[6:12] + self.frame[:6] + self.frame[12:ETHERNET_BYTES]
        return (
            _made(turned, back + to_sender + tail, 20, b""),
            _made(self.frame[:ETHERNET_BYTES], there + to_receiver + tail, 20, b""),
        )


def _made(ethernet: bytes, head: bytearray, ip_bytes: int, payload: bytes) -> Packet:
    """A TCP segment with lengths and checksums put right; that of TCP is left to the kernel, which wants it begun."""
    struct.pack_into("!H", head, _TOTAL_LENGTH_AT, len(head) + len(payload))
    struct.pack_into("!H", head, _CHECKSUM_AT, 0)
    struct.pack_into("!H", head, _CHECKSUM_AT, ~sum_of(head[:ip_bytes]) & 0xFFFF)
    length = len(head) - ip_bytes + len(payload)
    pseudo = head[_SOURCE_AT : _SOURCE_AT + 8] + struct.pack("!HH", socket.IPPROTO_TCP, length)
    struct.pack_into("!H", head, ip_bytes + _TCP_CHECKSUM_AT, sum_of(pseudo))
    vnet = _VNET.pack(_NEEDS_CHECKSUM, 0, 0, 0, ETHERNET_BYTES + ip_bytes, _TCP_CHECKSUM_AT)
    return Packet(vnet, ethernet + bytes(head) + payload)


def sum_of(data: bytes | bytearray) -> int:
    """The ones' complement sum of the 16-bit words (RFC 1071), not inverted."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
