"""C and Python speak the same protocol where the bytes are the kernel's: one side in each language.

The rings and the plain file are not among these: their layouts differ, see the C files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.bench.request import Shape
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
    in_c, in_python = [str(programs / mechanism)], reference.python("ipclab.bench.python")
    producer, consumer = (in_c, in_python) if sender_in_c else (in_python, in_c)
    for size in _SIZES:
        if size > mechanisms.load(mechanism).traits.max_message_bytes:
            continue
        count = 100 if size <= 8_192 else 24
        half = reference.request(mechanism, tmp_path, shape=shape, size=size, count=count, warmup=8)
        sent, received = reference.run(producer, consumer, half)
        assert sent["sent"] == received["received"] == count
        assert [received[fault] for fault in ("lost", "reordered", "duplicated", "corrupt")] == [0, 0, 0, 0]
        assert sent["corrupt"] == 0
