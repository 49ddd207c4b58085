"""What `./lab fault` does to a pair from inside its namespaces. Each action is done once, and says what came of it.

An action knows the place of a channel (key, path, host) and the traits of its mechanism, and no mechanism by name.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipclab import mechanisms
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.building_blocks.shared_words import path_of
from ipclab.contract.channel import Address, Kind, Sharing
from ipclab.contract.errors import ChannelError
from ipclab.linux import file_lock, link, netlink
from ipclab.linux.route import interface_to
from ipclab.mechanisms.sysv_shm import lock_key

_Result = Mapping[str, Any]
_FILLER = "ipclab-fault"
_DEV_SHM = Path("/dev/shm")
_LOCK_WITHIN_S = 10.0
_EMBEDDED_DNS = "127.0.0.11"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Place:
    """Where the two sides of a channel meet."""

    mechanism: str
    key: int
    path: Path | None
    host: str
    port: int

    @property
    def address(self) -> Address:
        """As the endpoints get it."""
        return Address(self.key, self.path or Path(), self.host, self.port)


def look(place: Place, _number: int, _text: str) -> _Result:
    """Whether the kernel has the object under its name."""
    return {"exists": bool(_object(place).exists())}


def remove(place: Place, _number: int, _text: str) -> _Result:
    """Take the name of the object away, as ipcrm(1), shm_unlink(3), mq_unlink(3) or unlink(2) do."""
    _object(place).remove()
    return {}


def garbage(place: Place, number: int, _text: str) -> _Result:
    """Random bytes: over the beginning of shared memory, or as so many messages."""
    if mechanisms.load(place.mechanism).traits.kind is Kind.SHARED_MEMORY:
        _object(place).overwrite(os.urandom(number))
        return {"bytes": number}
    sent = 0
    with mechanisms.load(place.mechanism).open_sender(place.address) as sender:
        for _ in range(number):
            with suppress(ChannelError):
                sender.send(memoryview(os.urandom(64)), 1.0)
                sent += 1
    return {"messages": sent}


def fill(_place: Place, number: int, text: str) -> _Result:
    """Take all the room of the filesystem at the folder `text` but `number` bytes: write(2), until ENOSPC."""
    return _filled(Path(text), number, os.O_CREAT)


def refill(_place: Place, number: int, text: str) -> _Result:
    """The same for a filesystem that was filled; one that `clear` has given back meanwhile stays as it is."""
    with suppress(FileNotFoundError):
        return _filled(Path(text), number, 0)
    return {"bytes": 0}


def _filled(folder: Path, leaves: int, how: int) -> _Result:
    size = os.statvfs(folder)
    written, left = 0, size.f_bavail * size.f_frsize - leaves
    with os.fdopen(os.open(folder / _FILLER, os.O_WRONLY | os.O_APPEND | how, 0o600), "ab", buffering=0) as file:
        while left > 0:
            try:
                done = file.write(bytes(min(_CHUNK, left)))
            except OSError as error:
                return {"bytes": written, "errno": errno.errorcode.get(error.errno or 0, "?")}
            written, left = written + done, left - done
    return {"bytes": written}


def clear(_place: Place, _number: int, text: str) -> _Result:
    """Give the room back."""
    (Path(text) / _FILLER).unlink(missing_ok=True)
    return {}


def queues(_place: Place, number: int, _text: str) -> _Result:
    """Make POSIX queues until the kernel refuses another, `number` at most; say how many, and the refusal."""
    for made in range(number):
        try:
            queue = posix_ipc.MessageQueue(
                f"/{_FILLER}-{made}", posix_ipc.O_CREX, mode=0o600, max_messages=1, max_message_size=1
            )
            queue.close()
        except OSError as error:
            return {"queues": made, "errno": errno.errorcode.get(error.errno or 0, "?")}
        except posix_ipc.Error as error:
            return {"queues": made, "errno": str(error)}
    return {"queues": number}


def clear_queues(_place: Place, number: int, _text: str) -> _Result:
    """Take them away again."""
    for made in range(number):
        with suppress(posix_ipc.Error, OSError):
            posix_ipc.unlink_message_queue(f"/{_FILLER}-{made}")
    return {}


def die_locked(place: Place, _number: int, text: str) -> _Result:
    """Take the lock around the shared words and end by SIGKILL with it; `text` "keep": without SEM_UNDO, semop(2)."""
    lock = _lock(place, undo=text != "keep")
    deadline = time.monotonic() + _LOCK_WITHIN_S
    while not lock():
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, f"the lock of {place.mechanism} was never free")
        time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def free_lock(place: Place, _number: int, _text: str) -> _Result:
    """Set a semaphore free that stays taken. One that is free in between is somebody's, and left alone."""
    semaphore = sysv_ipc.Semaphore(lock_key(place.key))
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if semaphore.value:
            return {"freed": False}
        time.sleep(0.0005)
    semaphore.value = 1
    return {"freed": True}


def limit_descriptors(_place: Place, _number: int, text: str) -> _Result:
    """Lower the soft limit of the process that is the role `text` to what it has open; say the limits before."""
    process = _process_of(text)
    open_now = max((int(entry.name) for entry in Path(f"/proc/{process}/fd").iterdir()), default=0) + 1
    soft, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (open_now, hard))
    return {"soft": soft, "limit": open_now}


def restore_descriptors(_place: Place, _number: int, text: str) -> _Result:
    """Raise the soft limit to that of process 1 again, from which it was inherited."""
    resource.prlimit(_process_of(text), resource.RLIMIT_NOFILE, resource.prlimit(1, resource.RLIMIT_NOFILE))
    return {}


def use_up_memory(_place: Place, _number: int, text: str) -> _Result:
    """Allocate until the kernel ends a process for it: that of the role `text` first (proc(5), oom_score_adj)."""
    Path(f"/proc/{_process_of(text)}/oom_score_adj").write_text("1000")
    held = []
    while True:
        held.append(os.urandom(_CHUNK))


def detour(_place: Place, _number: int, text: str) -> _Result:
    """Let packets to an address take the way over another link address; `text` is "ADDRESS LINK_ADDRESS"."""
    address, link_address = text.split()
    netlink.set_neighbour(interface_to(address), address, link_address)
    return {}


def direct(_place: Place, _number: int, text: str) -> _Result:
    """Let packets to the address `text` take the direct way again."""
    netlink.forget_neighbour(interface_to(text), text)
    return {}


def link_address(_place: Place, _number: int, text: str) -> _Result:
    """The own link address on the way to the address `text`."""
    return {"address": link.link_address_of(interface_to(text)).hex(":")}


def no_names(_place: Place, _number: int, _text: str) -> _Result:
    """Cut the way to the engine's resolver, which answers on an own address of each container."""
    netlink.make_unreachable(_EMBEDDED_DNS)
    return {}


def names_again(_place: Place, _number: int, _text: str) -> _Result:
    """Undo `no_names`."""
    netlink.make_reachable(_EMBEDDED_DNS)
    return {}


ACTIONS: Mapping[str, Callable[[Place, int, str], _Result]] = {
    action.__name__.replace("_", "-"): action
    for action in (
        *(look, remove, garbage),
        *(fill, refill, clear, queues, clear_queues),
        *(die_locked, free_lock),
        *(limit_descriptors, restore_descriptors, use_up_memory),
        *(detour, direct, link_address, no_names, names_again),
    )
}


class _SysvObject:
    """A segment or a queue by its key."""

    def __init__(self, key: int, *, segment: bool) -> None:
        self._open = sysv_ipc.SharedMemory if segment else sysv_ipc.MessageQueue
        self._key = key

    def exists(self) -> bool:
        try:
            found = self._open(self._key)
        except sysv_ipc.ExistentialError:
            return False
        if isinstance(found, sysv_ipc.SharedMemory):
            found.detach()
        return True

    def remove(self) -> None:
        with suppress(sysv_ipc.ExistentialError):
            found = self._open(self._key)
            found.remove()
            if isinstance(found, sysv_ipc.SharedMemory):
                found.detach()

    def overwrite(self, content: bytes) -> None:
        segment = sysv_ipc.SharedMemory(self._key)
        segment.write(content[: segment.size])
        segment.detach()


class _NamedQueue:
    """A POSIX queue."""

    def __init__(self, name: str) -> None:
        self._name = name

    def exists(self) -> bool:
        try:
            posix_ipc.MessageQueue(self._name).close()
        except posix_ipc.ExistentialError:
            return False
        return True

    def remove(self) -> None:
        with suppress(posix_ipc.ExistentialError):
            posix_ipc.unlink_message_queue(self._name)

    def overwrite(self, content: bytes) -> None:
        raise OSError(errno.ENODEV, f"{self._name} is no memory: {len(content)} bytes not written")


class _File:
    """What has a name in a filesystem."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        return self._path.exists()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def overwrite(self, content: bytes) -> None:
        with self._path.open("r+b", buffering=0) as file:
            file.write(content)


def _object(place: Place) -> _SysvObject | _NamedQueue | _File:
    traits = mechanisms.load(place.mechanism).traits
    if place.path is None:
        return _SysvObject(place.key, segment=traits.kind is Kind.SHARED_MEMORY)
    if Sharing.VOLUME in traits.requires:
        return _File(place.path)
    name = object_name(place.address)
    return _File(_DEV_SHM / name.lstrip("/")) if traits.kind is Kind.SHARED_MEMORY else _NamedQueue(name)


def _lock(place: Place, *, undo: bool) -> Callable[[], bool]:
    """What tries to take the lock around the shared words, without waiting."""
    if place.path is None:
        semaphore = sysv_ipc.Semaphore(lock_key(place.key))
        semaphore.undo = undo

        def take() -> bool:
            with suppress(sysv_ipc.BusyError):
                semaphore.acquire(0)
                return True
            return False

        return take
    if Sharing.VOLUME in mechanisms.load(place.mechanism).traits.requires:
        path = path_of(place.path)
    else:
        path = path_of(_DEV_SHM / object_name(place.address).lstrip("/"))
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    return lambda: file_lock.try_lock(descriptor)


def _process_of(role: str) -> int:
    """The process of this container whose command is the role: `python -m ipclab ROLE …`."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"ipclab" in words and words[words.index(b"ipclab") + 1] == role.encode() and b"python" in words[0]:
                    return int(folder.name)
    raise ProcessLookupError(errno.ESRCH, f"no process here is the {role}")
