"""The name of a Unix socket in the filesystem: a new owner takes over the name of a dead socket, never of a live one.

Source: unix(7). The name outlives the socket. Connecting to the name of a dead socket is ECONNREFUSED, and binding the
name again is EADDRINUSE, whether its owner is dead or not; so a new owner probes the old one first.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ipclab.building_blocks.connections import socket_error
from ipclab.building_blocks.names import Name


def bind(path: Path, kind: socket.SocketKind) -> tuple[socket.socket, Name]:
    """A socket that owns `path`, and that name, for its own user only; it listens if it is of a kind that can.

    :raises ChannelError: see `socket_error`
    """
    owner = socket.socket(socket.AF_UNIX, kind)
    try:
        os.fchmod(owner.fileno(), 0o600)  # before bind: the name gets this mode from its first moment
        with _alone_in(path.parent):
            try:
                owner.bind(str(path))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                _discard_stale(path, kind)
                owner.bind(str(path))
            if kind is socket.SOCK_STREAM:
                owner.listen()
            name = Name.of(path)
    except OSError as error:
        owner.close()
        raise socket_error(f"unix socket {path}", error) from error
    return owner, name


def connect(path: Path, kind: socket.SocketKind) -> tuple[socket.socket, Name]:
    """A non-blocking socket, connected to the owner of `path`, and the owner's name.

    :raises ChannelError: see `socket_error`
    """
    try:
        connection = _connect(path, kind)
        try:
            return connection, Name.of(path)
        except OSError:  # removed since
            connection.close()
            raise
    except OSError as error:
        raise socket_error(f"unix socket {path}", error) from error


def unlink(name: Name) -> None:
    """Remove the name if it still is that socket's."""
    with suppress(OSError):
        if name.is_linked():
            name.path.unlink()


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One new owner at a time: two that find the same stale name must not unlink each other's new name."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _discard_stale(path: Path, kind: socket.SocketKind) -> None:
    try:
        _connect(path, kind).close()
    except ConnectionRefusedError:  # the owner is dead
        path.unlink()
    except FileNotFoundError:
        pass
    except BlockingIOError as error:  # so many wait that one more cannot: it lives
        raise OSError(errno.EADDRINUSE, "another receiver has this name") from error
    else:
        raise OSError(errno.EADDRINUSE, "another receiver has this name")


def _connect(path: Path, kind: socket.SocketKind) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, kind)
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        # connect(2) refuses what is no socket in the same way as a socket without an owner.
        if error.errno == errno.ECONNREFUSED and not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "it is there and is no socket; remove it") from error
        raise
    return connection
