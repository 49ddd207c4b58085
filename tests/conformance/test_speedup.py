"""One job over every mechanism: a coordinator and workers as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import islice

import pytest

from conformance.conftest import kernel_objects
from ipclab.contract.channel import Address, Mechanism, Traits
from ipclab.contract.errors import PeerGone, ReceiveTimeout
from ipclab.speedup.job import count_primes
from ipclab.speedup.messages import MESSAGE_BYTES, Left, Message, Ready, Result, Stop, Task, decode, encode
from ipclab.speedup.topology import Topology, open_patiently

_PRIMES_BELOW_10000 = 1229  # https://oeis.org/A006880
_CHUNKS = 12
_WITHIN_S = 60.0

Process = subprocess.Popen[str]


@contextmanager
def role(name: str, mechanism: str, address: Address, *arguments: str) -> Iterator[Process]:
    """A role of the image, as it runs in a container; killed if it does not end by itself."""
    where = ["--key", str(address.key), "--path", str(address.path), "--hosts", "127.0.1.{}"]
    command = [sys.executable, "-m", "ipclab", name, mechanism, *where, "--port", str(address.port), *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def coordinator(name: str, address: Address, *, workers: int, rounds: int) -> AbstractContextManager[Process]:
    """It counts the primes below 10,000."""
    job = ["--job", "10000", "--chunks", str(_CHUNKS), "--rounds", str(rounds)]
    return role("speedup-coordinator", name, address, *job, "--workers", str(workers))


def ended(process: Process) -> tuple[int, str, str]:
    """Exit code, output, and what it said, once it has ended."""
    output, said = process.communicate(timeout=_WITHIN_S)
    return process.returncode, output, said


def test_workers_count_what_one_process_counts(name: str, traits: Traits, address: Address) -> None:
    workers, before = 3, kernel_objects()
    with ExitStack() as stack:
        lead = stack.enter_context(coordinator(name, address, workers=workers, rounds=2))
        containers = [
            stack.enter_context(role("speedup-worker", name, address, "--number", str(number)))
            for number in range(1, workers + 1)
        ]
        code, output, said = ended(lead)
        assert (code, said) == (0, ""), said
        for process in containers:  # each was told to stop, and left by itself
            assert ended(process) == (0, "", ""), said
    assert kernel_objects() == before
    assert list(address.path.parent.iterdir()) == []
    conditions, *rounds = map(json.loads, output.splitlines())
    assert conditions["cpus"] == len(os.sched_getaffinity(0))
    assert [found["round"] for found in rounds] == [1, 2]
    for found in rounds:
        assert found["primes"] == _PRIMES_BELOW_10000
        assert len(found["tasks_done"]) == workers
        assert sum(found["tasks_done"]) == _CHUNKS
        if not traits.many_receivers:  # each has a channel of its own, and two tasks in it from the start
            assert min(found["tasks_done"]) >= 2
        for cost in ("alone_wall_ns", "wall_ns", "computing_ns", "moving_workers_ns", "moving_coordinator_ns"):
            assert found[cost] > 0
        if traits.reliable:
            assert (found["resent"], found["duplicates"]) == (0, 0)


class Impostor:
    """This process as the only worker: it answers as the test wants, over the real mechanism."""

    def __init__(self, mechanism: Mechanism, address: Address, stack: ExitStack) -> None:
        topology = Topology(mechanism.traits, address.key, address.path, "127.0.1.{}", address.port)
        self._tasks = mechanism.create_receiver(topology.tasks(1))
        stack.callback(self._tasks.remove)
        self._results = stack.enter_context(open_patiently(mechanism.open_sender, topology.results(1)))
        self.say(Ready(1))

    def listen_no_more(self) -> None:
        self._tasks.remove()

    def say(self, message: Message) -> None:
        self._results.send(encode(message), 1)

    def answer(self, task: Task, primes: int) -> None:
        self.say(Result(1, task.round, task.number, primes, computing_ns=1, moving_ns=1))

    def messages(self) -> Iterator[Message]:
        """What the coordinator says, to the end."""
        buffer = memoryview(bytearray(MESSAGE_BYTES))
        message: Message | None = None
        while not isinstance(message, Stop):
            try:
                message = decode(buffer[: self._tasks.receive_into(buffer, _WITHIN_S)])
            except ReceiveTimeout:
                pytest.fail("the coordinator says nothing any more")
            yield message


@pytest.mark.mechanisms(among=("udp",))
def test_a_task_without_an_answer_is_sent_again_and_two_answers_count_once(
    name: str, mechanism: Mechanism, address: Address
) -> None:
    with ExitStack() as stack:
        lead = stack.enter_context(coordinator(name, address, workers=1, rounds=2))
        worker = Impostor(mechanism, address, stack)
        lost: Task | None = None
        for message in worker.messages():
            if not isinstance(message, Task):
                continue
            if lost is None:
                lost = message  # as if the network had lost it
                continue
            worker.answer(message, count_primes(message.low, message.high))
            if message == lost:  # again: to be counted, not added; the next round has a task of this number, too
                worker.answer(message, 999)
        worker.say(Left(1))
        code, output, said = ended(lead)
    assert (code, said) == (0, "")
    _, first, second = map(json.loads, output.splitlines())
    assert first["resent"] >= 1
    assert first["duplicates"] + second["duplicates"] >= 1
    for found in (first, second):
        assert found["primes"] == _PRIMES_BELOW_10000
        assert found["tasks_done"] == [_CHUNKS]


@pytest.mark.mechanisms(among=("sysv_mq", "unix_stream", "posix_shm"))
def test_a_wrong_result_fails_loudly(name: str, mechanism: Mechanism, address: Address) -> None:
    with ExitStack() as stack:
        lead = stack.enter_context(coordinator(name, address, workers=1, rounds=2))
        worker = Impostor(mechanism, address, stack)
        for message in islice(worker.messages(), _CHUNKS):
            assert isinstance(message, Task)
            worker.answer(message, count_primes(message.low, message.high) + (message.number == 3))
        code, output, said = ended(lead)
    assert code == 1
    assert len(output.splitlines()) == 1  # no round is reported
    assert said.splitlines() == [
        "error: round 1: the workers count 1230 primes below 10000, one process 1229",
    ]


@pytest.mark.mechanisms(picks=lambda traits: "EPIPE" in traits.send_errnos)
def test_a_worker_that_dies_is_named_by_the_kernel(name: str, mechanism: Mechanism, address: Address) -> None:
    with ExitStack() as stack:
        lead = stack.enter_context(coordinator(name, address, workers=1, rounds=2))
        with ExitStack() as alive:
            worker = Impostor(mechanism, address, alive)
            tasks = list(islice(worker.messages(), 2))
            worker.listen_no_more()
            for task in tasks:  # each brings it another one, and of TCP it is the second that cannot be sent
                assert isinstance(task, Task)
                with suppress(PeerGone):  # it has ended already
                    worker.answer(task, 0)
        code, _, said = ended(lead)
    assert code == 1
    assert len(said.splitlines()) == 1
    assert said.startswith("error: ")
    assert "Traceback" not in said
