"""What a fault does from inside, on real kernel objects: done by the command that runs in the fault's container."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.building_blocks.shared_words import path_of
from ipclab.contract.channel import Address
from ipclab.contract.errors import ChannelError, ReceiveTimeout
from ipclab.contract.optional_parts import shares_words
from ipclab.linux import file_lock
from ipclab.mechanisms.sysv_shm import lock_key
from ipclab.pair import harm
from labctl.terminal.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's objects are those of Linux")


def act(action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as `./lab` does in the container."""
    command = [sys.executable, "-m", "ipclab", "fault-act", action, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def answer(action: str, *arguments: str) -> dict[str, Any]:
    done = act(action, *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def key() -> Iterator[int]:
    """A System V key of this test, whose objects are removed at the end."""
    chosen = 0x40000000 + int.from_bytes(os.urandom(3), "big") * 4
    yield chosen
    for name in ("sysv_shm", "sysv_mq"):
        mechanisms.load(name).create_receiver(Address(key=chosen)).remove()


@pytest.mark.parametrize("name", ["fifo", "plain_file", "mmap_file", "unix_stream"])
def test_a_name_in_the_filesystem_is_seen_and_removed(name: str, tmp_path: Path) -> None:
    path = tmp_path / "channel"
    where = [name, f"--path={path}"]
    assert answer("look", *where) == {"exists": False}
    with mechanisms.load(name).create_receiver(Address(path=path)):
        assert answer("look", *where) == {"exists": True}
        answer("remove", *where)
        assert not path.exists()
    answer("remove", *where)  # what is gone is no error


@pytest.mark.parametrize("name", ["sysv_shm", "sysv_mq"])
def test_a_system_v_key_is_seen_and_removed(name: str, key: int) -> None:
    where = [name, f"--key={key}"]
    assert answer("look", *where) == {"exists": False}
    with mechanisms.load(name).create_receiver(Address(key=key)):
        assert answer("look", *where) == {"exists": True}
        answer("remove", *where)
        assert answer("look", *where) == {"exists": False}


def test_garbage_is_no_message(tmp_path: Path) -> None:
    path = tmp_path / "channel"
    with mechanisms.load("fifo").create_receiver(Address(path=path)) as receiver:
        assert answer("garbage", "fifo", f"--path={path}", "--number=3") == {"messages": 3}
        buffer = memoryview(bytearray(4096))
        assert [receiver.receive_into(buffer, 1.0) for _ in range(3)] == [64] * 3


def test_garbage_over_a_ring_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    mechanism = mechanisms.load("mmap_file")
    with mechanism.create_receiver(Address(path=path)) as receiver, mechanism.open_sender(Address(path=path)) as sender:
        answer("garbage", "mmap_file", f"--path={path}", "--number=4096")

        def use() -> None:
            for _ in range(10_000):
                sender.send(memoryview(b"x" * 100), 0.01)
                receiver.receive_into(memoryview(bytearray(4096)), 0.01)

        with pytest.raises(ChannelError) as said:
            use()
        assert not isinstance(said.value, ReceiveTimeout)


def test_a_lock_of_flock_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    mechanism = mechanisms.load("plain_file")
    assert shares_words(mechanism)
    words = mechanism.create_words(Address(path=path), 4)
    try:
        assert act("die-locked", "plain_file", f"--path={path}").returncode == -signal.SIGKILL
        descriptor = os.open(path_of(path), os.O_RDWR)
        assert file_lock.try_lock(descriptor)
        os.close(descriptor)
    finally:
        words.close()


@pytest.mark.parametrize(("text", "stays"), [("", False), ("keep", True)])
def test_a_semaphore_stays_taken_without_undo_until_it_is_set_free(text: str, stays: bool, key: int) -> None:
    mechanism = mechanisms.load("sysv_shm")
    assert shares_words(mechanism)
    words = mechanism.create_words(Address(key=key), 4)
    try:
        assert act("die-locked", "sysv_shm", f"--key={key}", f"--text={text}").returncode == -signal.SIGKILL
        assert sysv_ipc.Semaphore(lock_key(key)).value == (0 if stays else 1)
        assert answer("free-lock", "sysv_shm", f"--key={key}") == {"freed": stays}
        assert sysv_ipc.Semaphore(lock_key(key)).value == 1
        assert words.try_lock()
        words.unlock()
    finally:
        words.close()


def test_room_is_taken_again_and_given_back_for_good(tmp_path: Path) -> None:
    def taken(action: str) -> int:
        free = os.statvfs(tmp_path)
        leaves = free.f_bavail * free.f_frsize - (3 << 20)
        return int(answer(action, f"--number={leaves}", f"--text={tmp_path}")["bytes"])

    # Other programs write and delete between the two looks at the disk.
    first = wait_until(lambda: taken("fill"), 60)
    more = wait_until(lambda: taken("refill"), 60)
    (filler,) = tmp_path.iterdir()
    assert filler.stat().st_size == first + more
    assert min(first, more) > 0
    assert first + more < 256 << 20
    answer("clear", f"--text={tmp_path}")
    assert taken("refill") == 0  # by a process that does not know yet that the fault is over
    assert list(tmp_path.iterdir()) == []


def test_queues_are_made_and_removed() -> None:
    made = answer("queues", "--number=2")
    try:
        assert made["queues"] == 2 or made["errno"]
    finally:
        answer("clear-queues", "--number=2")
    with pytest.raises(posix_ipc.ExistentialError):
        posix_ipc.MessageQueue("/ipclab-fault-0")


def test_descriptors_are_used_up_and_given_back() -> None:
    """Of a process whose command is a role, found as in a container."""
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "ipclab", f"role-{os.getpid()}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as role:
        assert role.stdout is not None
        role.stdout.readline()
        place = harm.Place("", 0, None, "", 0)
        limited = harm.limit_descriptors(place, 0, f"role-{os.getpid()}")
        soft, hard = resource.prlimit(role.pid, resource.RLIMIT_NOFILE)
        assert soft == limited["limit"] < limited["soft"] <= hard
        role.communicate(timeout=30)


def test_an_action_on_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = act("limit-descriptors", "--text=nobody")
    assert done.returncode == 1
    assert done.stderr == "error: [Errno 3] no process here is the nobody\n"
    assert act("garbage", "fifo", f"--path={tmp_path / 'none'}").returncode == 1
