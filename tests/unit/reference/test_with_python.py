"""C and Python speak the same protocol where the bytes are the kernel's: one side in each language.

The rings and the plain file are not among these: their layouts differ, see the C files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.bench.request import Shape, Side
from support import reference

_SAME_PROTOCOL = ("anonymous_pipe", "fifo", "posix_mq", "sysv_mq", "tcp", "udp", "unix_stream")
# One way, udp drops what comes too fast.
_CASES = [
    (mechanism, shape)
    for mechanism in _SAME_PROTOCOL
    for shape in (Shape.ONE_WAY, Shape.ROUND_TRIP)
    if mechanism != "udp" or shape is Shape.ROUND_TRIP
]
_SIZES = (16, 64, 4_084, 4_085, 8_192, 65_536, 1 << 20)


@pytest.mark.parametrize("sender_in_c", [True, False], ids=["from-c", "to-c"])
@pytest.mark.parametrize(("mechanism", "shape"), _CASES)
def test_a_side_in_c_and_a_side_in_python_understand_each_other(
    programs: Path, tmp_path: Path, mechanism: str, shape: Shape, sender_in_c: bool
) -> None:
    sizes = [size for size in _SIZES if size <= mechanisms.load(mechanism).traits.max_message_bytes]
    halves = [
        reference.request(mechanism, tmp_path, shape=shape, size=size, count=100 if size <= 8_192 else 24, warmup=8)
        for size in sizes
    ]
    role_in_c, role_in_python = (Side.PRODUCER, Side.CONSUMER) if sender_in_c else (Side.CONSUMER, Side.PRODUCER)
    with reference.running(reference.python_of_several("ipclab.bench.python", halves, role_in_python)) as in_python:
        for half in halves:
            if sender_in_c:
                in_python.expect("ready")
            with reference.started([str(programs / mechanism)], half, role_in_c) as in_c:
                in_c.expect("ready")
                if not sender_in_c:
                    in_python.expect("ready")
                sent, received = reference.results_of(*((in_c, in_python) if sender_in_c else (in_python, in_c)))
                assert in_c.ended() == 0
            assert sent["sent"] == received["received"] == half.count
            assert [received[fault] for fault in ("lost", "reordered", "duplicated", "corrupt")] == [0, 0, 0, 0]
            assert sent["corrupt"] == 0
        assert in_python.ended() == 0
