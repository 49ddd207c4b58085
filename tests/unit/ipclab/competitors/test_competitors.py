"""What people would take instead moves the same messages by the same rules."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from ipclab.bench.messages import pattern_of, payloads_of
from ipclab.bench.request import Request, Shape, Side
from ipclab.contract.channel import Wait
from support import reference

_PACKAGES = {"multiprocessing": "multiprocessing", "zeromq": "zmq", "iceoryx2": "iceoryx2"}
_ROWS = {
    "multiprocessing": ["multiprocessing_pipe", "multiprocessing_queue"],
    "zeromq": ["zeromq_ipc", "zeromq_tcp"],
    "iceoryx2": ["iceoryx2"],
}
_TOGETHER = "multiprocessing"
_CASES = [(name, mechanism) for name, mechanisms in _ROWS.items() for mechanism in mechanisms]


@pytest.fixture(params=_CASES, ids=[mechanism for _, mechanism in _CASES])
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An implementation that can run here, and one of its mechanisms."""
    name, mechanism = request.param
    if importlib.util.find_spec(_PACKAGES[name]) is None:
        pytest.skip(f"{_PACKAGES[name]} is not installed here")
    return name, mechanism


def _run(name: str, half: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    command = reference.python(f"ipclab.competitors.{name}")
    if name != _TOGETHER:
        return reference.run(command, command, half)
    with reference.started(command, half, Side.BOTH) as both:
        events = [both.next() for _ in range(4)]
        assert sorted((event["event"], event["role"]) for event in events) == [
            ("ready", "consumer"),
            ("ready", "producer"),
            ("warm", "consumer"),
            ("warm", "producer"),
        ]
        both.go()
        results = {event["role"]: event for event in (both.expect("result"), both.expect("result"))}
        assert both.ended() == 0
        return results["producer"], results["consumer"]


def _described(module: str, *python_options: str) -> dict[str, Any]:
    command = [sys.executable, *python_options, *reference.python(module)[1:], "--describe"]
    document: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    return document


def test_each_implementation_describes_its_rows(case: tuple[str, str]) -> None:
    name, mechanism = case
    rows = {row["mechanism"]: row for row in _described(f"ipclab.competitors.{name}")["rows"]}
    assert sorted(rows) == sorted(_ROWS[name])
    assert (rows[mechanism]["implementation"], rows[mechanism]["together"]) == (name, name == _TOGETHER)


@pytest.mark.parametrize("shape", Shape)  # each with sizes of its own: an import of a competitor is slow
def test_every_message_arrives_once_in_order_and_whole(case: tuple[str, str], shape: Shape, tmp_path: Path) -> None:
    name, mechanism = case
    sizes = {Shape.ONE_WAY: (64, 1 << 20), Shape.ROUND_TRIP: (8_192,), Shape.BURST: (16,)}
    for size in sizes[shape]:
        count = 200 if size <= 8_192 else 30
        half = reference.request(
            mechanism, tmp_path, shape=shape, size=size, count=count, warmup=20, copies=name != "iceoryx2"
        )
        sent, received = _run(name, half)
        assert sent["sent"] == received["received"] == count
        assert [received[fault] for fault in ("lost", "reordered", "duplicated", "corrupt")] == [0, 0, 0, 0]
        assert sent["corrupt"] == 0
        assert received["size"] == size
        assert received["crc32"] == zlib.crc32(payloads_of(pattern_of(size), size)[(half.warmup + count - 1) % 8])


def test_the_subscriber_of_iceoryx2_may_spin(tmp_path: Path) -> None:
    pytest.importorskip("iceoryx2", reason="iceoryx2 is not installed here")
    half = reference.request("iceoryx2", tmp_path, count=200, copies=False, wait=Wait.SPIN)
    _, received = _run("iceoryx2", half)
    assert received["received"] == 200


def test_a_producer_that_dies_is_a_silence(tmp_path: Path) -> None:
    pytest.importorskip("zmq", reason="pyzmq is not installed here")
    half = reference.request("zeromq_ipc", tmp_path, count=1_000_000, silence_s=0.5)
    command = reference.python("ipclab.competitors.zeromq")
    with reference.started(command, half, Side.CONSUMER) as receiving:
        receiving.expect("ready")
        with reference.started(command, half, Side.PRODUCER) as sending:
            for endpoint in (sending, sending, receiving):
                endpoint.next()
            sending.process.kill()
            receiving.go()
            assert receiving.expect("result")["lost"] > 0


@pytest.mark.parametrize(("name", "package"), [("zeromq", "zmq"), ("iceoryx2", "iceoryx2")])
def test_an_absent_package_is_said_in_one_line(name: str, package: str, tmp_path: Path) -> None:
    """An import that fails stands in for an image without it."""
    (tmp_path / f"{package}.py").write_text("raise ImportError\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {reference.PYTHON}"
    command = [sys.executable, "-c", code, f"ipclab.competitors.{name}", "--describe"]
    said = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert list(json.loads(said)) == ["absent"]
