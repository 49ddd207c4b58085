"""Packets that are cut and reset: lengths, numbers and checksums by the RFCs, read back by an independent reader."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from ipclab.linux.packets import ETHERNET_BYTES, VNET_BYTES, Packet, sum_of

A, B = "172.20.0.2", "172.20.0.3"
MAC_A, MAC_B, MAC_US = (bytes.fromhex(f"02420000000{n}") for n in (2, 3, 4))
SEQUENCE, ACKNOWLEDGED = 0xFFFFFF00, 77


def segment(payload: bytes, flags: int = 0x18) -> Packet:
    """From A to B, as the kernel hands it over; the sequence number wraps soon."""
    tcp = struct.pack("!HHIIBBHHH", 40000, 9000, SEQUENCE, ACKNOWLEDGED, 0x80, flags, 502, 0, 0)
    tcp += b"\x01\x01\x08\x0a" + bytes(8)  # a timestamp, as every segment has
    total = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 1, 0x4000, 64, 6, 0, socket.inet_aton(A), socket.inet_aton(B))
    return Packet(bytes(VNET_BYTES), MAC_B + MAC_A + b"\x08\x00" + ip + tcp + payload)


def fields(packet: Packet) -> tuple[int, int, int, int]:
    """Sequence, acknowledged, flags of TCP, and the checksum over the IPv4 header, which is 0 where it is right."""
    ip = packet.frame[ETHERNET_BYTES:]
    sequence, acknowledged = struct.unpack_from("!II", ip, 24)
    return sequence, acknowledged, ip[33], ~sum_of(ip[:20]) & 0xFFFF


@pytest.mark.parametrize(("length", "most"), [(1000, 64), (128, 64), (65, 64), (10, 1)])
def test_the_slices_carry_the_same_bytes_of_the_stream(length: int, most: int) -> None:
    payload = os.urandom(length)
    parts = list(segment(payload).sliced(most))
    assert b"".join(part.payload for part in parts) == payload
    at = SEQUENCE
    for part in parts:
        sequence, acknowledged, flags, checksum = fields(part)
        assert (sequence, acknowledged, checksum) == (at, ACKNOWLEDGED, 0)
        assert 0 < len(part.payload) <= most
        assert bool(flags & 0x08) == (part is parts[-1]), "PSH is of the last byte"
        at = (at + len(part.payload)) & 0xFFFFFFFF


def test_a_short_segment_stays_as_it_is() -> None:
    packet = segment(b"x" * 64)
    assert list(packet.sliced(64)) == [packet]


def test_the_kernel_is_told_to_end_the_checksum_of_a_slice() -> None:
    part = next(iter(segment(os.urandom(100)).sliced(50)))
    flags, gso, _, _, start, offset = struct.unpack("=BBHHHH", part.vnet)
    assert (flags, gso, start, offset) == (1, 0, ETHERNET_BYTES + 20, 16)
    tcp = bytearray(part.frame[ETHERNET_BYTES + 20 :])
    pseudo = socket.inet_aton(A) + socket.inet_aton(B) + struct.pack("!HH", 6, len(tcp))
    assert struct.unpack_from("!H", tcp, 16)[0] == sum_of(pseudo)


def test_a_reset_has_the_number_that_each_side_waits_for() -> None:
    to_sender, to_receiver = segment(b"x").resets()
    assert (to_sender.source, to_sender.destination) == (B, A)
    assert fields(to_sender)[0] == ACKNOWLEDGED
    assert to_sender.frame[:12] == MAC_A + MAC_B
    assert (to_receiver.source, to_receiver.destination) == (A, B)
    assert fields(to_receiver)[0] == SEQUENCE
    for reset in (to_sender, to_receiver):
        assert fields(reset)[2:] == (0x04, 0)
        assert reset.payload == b""
    assert struct.unpack_from("!HH", to_sender.frame, ETHERNET_BYTES + 20) == (9000, 40000)


def test_a_packet_is_sent_on_from_us() -> None:
    sent = segment(b"x").to(MAC_B, MAC_US)
    assert sent.frame[:12] == MAC_B + MAC_US
    assert sent.frame[12:] == segment(b"x").frame[12:]


def test_the_sum_is_that_of_rfc_1071() -> None:
    assert sum_of(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2
    assert sum_of(b"\x01") == 0x0100


@pytest.mark.parametrize("offset", [0x40, 0xF0])
def test_a_segment_with_a_header_that_is_none_is_no_tcp(offset: int) -> None:
    """RFC 9293, 3.1: the header has 20 bytes or more, and no more than the segment."""
    frame = bytearray(segment(b"x" * 20).frame)
    frame[ETHERNET_BYTES + 20 + 12] = offset
    assert segment(b"x" * 20).is_tcp
    assert not Packet(bytes(VNET_BYTES), bytes(frame)).is_tcp


@pytest.mark.parametrize("begin", [0x44, 0x4F])
def test_a_packet_with_a_header_that_is_none_is_no_ipv4(begin: int) -> None:
    """RFC 791, 3.1: the header has 20 bytes or more, and no more than the packet."""
    frame = bytearray(segment(b"").frame[: ETHERNET_BYTES + 30])
    assert Packet(bytes(VNET_BYTES), bytes(frame)).is_ipv4
    frame[ETHERNET_BYTES] = begin
    assert not Packet(bytes(VNET_BYTES), bytes(frame)).is_ipv4
