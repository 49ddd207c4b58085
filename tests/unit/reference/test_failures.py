"""What a program of the reference says when it is asked for what it cannot do, and when the other side is silent."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.bench.request import Request, Shape, Side, arguments
from ipclab.contract.channel import Wait
from support import reference
from support.reference import Endpoint, request, started

_NAMES = mechanisms.names()
_LARGEST = 1 << 20  # that the command line takes; the limit of the lab
_LIMITED = [name for name in _NAMES if mechanisms.load(name).traits.max_message_bytes < _LARGEST]
_RELIABLE = [name for name in _NAMES if mechanisms.load(name).traits.reliable]  # the others send into nowhere


@contextmanager
def warm(program: Path, sent: Request, awaited: Request, alone_s: float = 0.0) -> Iterator[tuple[Endpoint, Endpoint]]:
    """A producer and a consumer after their warm-up, where the consumer was alone before, and waited in silence."""
    with started([str(program)], awaited, Side.CONSUMER) as receiving:
        receiving.expect("ready")
        assert not receiving.speaks_within(alone_s), "it went on alone"
        with started([str(program)], sent, Side.PRODUCER) as sending:
            for endpoint in (sending, sending, receiving):
                endpoint.next()
            yield sending, receiving


@pytest.mark.parametrize("mechanism", _LIMITED)
def test_a_message_over_the_limit_is_refused_by_its_errno(programs: Path, tmp_path: Path, mechanism: str) -> None:
    half = request(mechanism, tmp_path, size=mechanisms.load(mechanism).traits.max_message_bytes + 1)
    with started([str(programs / mechanism)], half, Side.CONSUMER) as endpoint:
        assert endpoint.expect("error")["errno"] == "EMSGSIZE"
        assert endpoint.process.wait(10) == 1


@pytest.mark.parametrize("fields", [{"copies": False}, {"wait": Wait.SPIN}], ids=["without-copies", "spinning"])
def test_what_only_shared_memory_can_is_refused_by_the_others(
    programs: Path, tmp_path: Path, fields: dict[str, object]
) -> None:
    with started([str(programs / "fifo")], request("fifo", tmp_path, **fields), Side.CONSUMER) as endpoint:
        assert "fifo" in endpoint.expect("error")["message"]


def test_a_wrong_option_is_a_wrong_call(programs: Path, tmp_path: Path) -> None:
    good = arguments(request("fifo", tmp_path))
    for words in ([], good[:-2], [*good, "--colour", "red"], ["--size", "64k", *good[2:]], [*good, "--size"]):
        ran = subprocess.run([programs / "fifo", *words], capture_output=True, timeout=10, check=False)
        assert (ran.returncode, ran.stdout) == (2, b""), words
        assert b"invalid option" in ran.stderr


@pytest.mark.parametrize("mechanism", _NAMES)
def test_a_killed_producer_ends_the_run_with_what_arrived(programs: Path, tmp_path: Path, mechanism: str) -> None:
    half = request(mechanism, tmp_path, count=1_000_000, silence_s=0.3)
    with warm(programs / mechanism, half, half) as (sending, receiving):
        sending.process.kill()
        receiving.go()
        result = receiving.expect("result")
    assert result["received"] == 0
    assert result["lost"] == half.count


@pytest.mark.parametrize("mechanism", ["posix_shm", "sysv_mq", "unix_stream"])
def test_a_silence_before_the_first_message_is_no_end_of_the_warm_up(
    programs: Path, tmp_path: Path, mechanism: str
) -> None:
    half = request(mechanism, tmp_path, silence_s=1.0)
    with warm(programs / mechanism, half, half, alone_s=2.5 * half.silence_s) as (sending, receiving):
        receiving.go()
        sending.go()
        result = receiving.expect("result")
    assert (result["received"], result["reordered"]) == (half.count, 0)


@pytest.mark.parametrize("shape", [Shape.ONE_WAY, Shape.ROUND_TRIP])
def test_what_comes_late_of_the_warm_up_is_not_counted(programs: Path, tmp_path: Path, shape: Shape) -> None:
    """The consumer's warm-up ends in a silence, forty messages before the one with which its timed part begins."""
    half = request("unix_stream", tmp_path, shape=shape, silence_s=1.0)
    longer = replace(half, warmup=half.warmup - 40, count=half.count + 40)
    with warm(programs / "unix_stream", longer, half) as (sending, receiving):
        receiving.go()
        sending.go()
        result = receiving.expect("result")
    assert (result["received"], result["lost"], result["reordered"]) == (half.count, 0, 0)


def test_the_silence_after_a_lost_last_message_is_no_part_of_the_time(programs: Path, tmp_path: Path) -> None:
    sent = request("udp", tmp_path, count=100, sample_every=10, silence_s=2.0)
    awaited = replace(sent, count=150)
    with warm(programs / "udp", sent, awaited) as (sending, receiving):
        receiving.go()
        sending.go()
        result = receiving.expect("result")
    assert (result["received"], result["lost"]) == (100, 50)
    assert result["end_ns"] - result["begin_ns"] < awaited.silence_s * 1e9


@pytest.mark.parametrize("mechanism", _RELIABLE)
def test_a_killed_consumer_ends_the_run_of_the_producer(programs: Path, tmp_path: Path, mechanism: str) -> None:
    half = request(mechanism, tmp_path, size=8_192, count=1_000_000, silence_s=0.3)
    with warm(programs / mechanism, half, half) as (sending, receiving):
        receiving.process.kill()
        sending.go()
        result = sending.expect("result")
    assert result["sent"] < half.count


def test_a_leftover_of_a_killed_run_is_replaced(programs: Path, tmp_path: Path) -> None:
    for mechanism in _NAMES:
        half, program = request(mechanism, tmp_path, count=100), [str(programs / mechanism)]
        with started(program, half, Side.CONSUMER) as receiving:
            receiving.expect("ready")
            receiving.process.kill()
        _, received = reference.run(program, program, half)
        assert received["received"] == half.count, mechanism


def test_bytes_that_are_no_frame_are_refused(programs: Path, tmp_path: Path) -> None:
    half = request("fifo", tmp_path)
    with started([str(programs / "fifo")], half, Side.CONSUMER) as receiving:
        receiving.expect("ready")
        writing = os.open(half.address.path, os.O_WRONLY)
        try:
            os.write(writing, b"no frame at all, and long enough")
            assert "no frame" in receiving.expect("error")["message"]
        finally:
            os.close(writing)
