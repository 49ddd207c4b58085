"""Every mechanism in C moves what it should: the count, the order, every byte, with copies and without."""

from __future__ import annotations

import itertools
import json
import subprocess
import zlib
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.bench.messages import pattern_of, payloads_of
from ipclab.bench.request import Request, Shape
from ipclab.contract.channel import Kind, Wait
from support import reference

_NAMES = mechanisms.names()
_RINGS = [name for name in _NAMES if mechanisms.load(name).traits.kind is Kind.SHARED_MEMORY]
# Where there is no answer to each message, udp drops what comes too fast.
_CASES = [
    (mechanism, shape)
    for mechanism in _NAMES
    for shape in Shape
    if mechanisms.load(mechanism).traits.reliable or shape is Shape.ROUND_TRIP
]
_SIZES = (16, 64, 4_084, 4_085, 8_192, 65_507, 65_536, 1 << 20)  # around a frame of PIPE_BUF, and the limits


def _run(programs: Path, half: Request) -> tuple[dict[str, object], dict[str, object]]:
    program = [str(programs / half.mechanism)]
    return reference.run(program, program, half)


def _assert_whole(half: Request, sent: dict[str, object], received: dict[str, object]) -> None:
    assert sent["sent"] == received["received"] == half.count
    assert [received[fault] for fault in ("lost", "reordered", "duplicated", "corrupt")] == [0, 0, 0, 0]
    assert sent["corrupt"] == 0
    assert sent["size"] == received["size"] == half.size
    last = payloads_of(pattern_of(half.size), half.size)[(half.warmup + half.count - 1) % 8 if half.touched else 0]
    assert received["crc32"] == (zlib.crc32(last) if half.touched or half.copies else 0)


def _fitting(mechanism: str) -> list[int]:
    return [size for size in _SIZES if size <= mechanisms.load(mechanism).traits.max_message_bytes]


def test_there_is_one_program_for_each_mechanism_and_one_for_the_limits(programs: Path) -> None:
    assert {path.name for path in programs.iterdir()} == {*_NAMES, "limits"}


@pytest.mark.parametrize("mechanism", _NAMES)
def test_a_program_describes_the_mechanism_as_its_traits_do(programs: Path, mechanism: str) -> None:
    said = subprocess.run([programs / mechanism, "--describe"], capture_output=True, check=True, timeout=10).stdout
    (row,) = json.loads(said)["rows"]
    traits = mechanisms.load(mechanism).traits
    assert (row["implementation"], row["mechanism"]) == ("c", mechanism)
    assert row["requires"] == sorted(map(str, traits.requires))
    assert (row["max_bytes"], row["ordered"], row["reliable"]) == (
        traits.max_message_bytes,
        traits.ordered,
        traits.reliable,
    )
    assert set(row["waits"]) <= set(map(str, traits.waits))
    assert (row["copies"] == ["yes", "no"]) is (mechanism in _RINGS)


@pytest.mark.parametrize(("mechanism", "shape"), _CASES)
def test_every_message_arrives_once_in_order_and_whole(
    programs: Path, tmp_path: Path, mechanism: str, shape: Shape
) -> None:
    for size in _fitting(mechanism):
        count = 500 if size <= 8_192 else 40
        half = reference.request(mechanism, tmp_path, shape=shape, size=size, count=count, warmup=20)
        sent, received = _run(programs, half)
        _assert_whole(half, sent, received)
        samples = sent if shape is Shape.ROUND_TRIP else received
        assert len(list(samples["samples_ns"])) == count // half.sample_every  # type: ignore[call-overload]


@pytest.mark.parametrize("wait", [Wait.BLOCK, Wait.SPIN])
@pytest.mark.parametrize("mechanism", _RINGS)
def test_a_message_in_shared_memory_needs_no_copy(programs: Path, tmp_path: Path, mechanism: str, wait: Wait) -> None:
    for shape in Shape:
        for size, touched in itertools.product((16, 64, 65_536, 1 << 20), (True, False)):
            fields = {"shape": shape, "size": size, "touched": touched, "wait": wait, "copies": False}
            half = reference.request(mechanism, tmp_path, count=60, warmup=20, **fields)
            _assert_whole(half, *_run(programs, half))


@pytest.mark.parametrize("copies", [True, False], ids=["copying", "in-place"])
@pytest.mark.parametrize("mechanism", _RINGS)
def test_a_ring_goes_round_with_records_of_any_size(
    programs: Path, tmp_path: Path, mechanism: str, copies: bool
) -> None:
    """Of sizes that meet the end of the data, and of the window, at every place; several times round."""
    for size in (17, 1_001, 30_011, 100_003, 262_147, 600_011, 1_000_003):
        half = reference.request(mechanism, tmp_path, size=size, count=3 * (4 << 20) // size, warmup=1, copies=copies)
        _assert_whole(half, *_run(programs, half))
