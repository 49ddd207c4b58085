"""The system calls of a function that failed, as ptrace(2) reports them with PTRACE_GET_SYSCALL_INFO.

The function runs in a child that asks to be traced. Tracing slows the child down several times: it is for evidence, not
for timing. It needs Linux 5.3; tracing one's own child needs no right.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TRACEME, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E  # <sys/ptrace.h>
_TRACESYSGOOD, _EXITKILL = 1, 1 << 20
_ENTRY, _EXIT = 1, 2
_INFO = struct.Struct("=B3xIQQ7Q")  # of an exit the first of the seven is the result, signed
_TEXT_BYTES = 256

# <asm/unistd.h>: those that the mechanisms open, make and look up with.
_NAMES = {
    "x86_64": {29: "shmget", 64: "semget", 68: "msgget", 240: "mq_open", 257: "openat", 42: "connect", 44: "sendto"},
    "aarch64": {
        194: "shmget",
        190: "semget",
        186: "msgget",
        180: "mq_open",
        56: "openat",
        203: "connect",
        206: "sendto",
    },
}

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_ptrace.restype = ctypes.c_long


@dataclass(frozen=True, slots=True)
class FailedCall:
    """One call with what it was asked for, such as `openat(/channel/x)`, and its errno by name."""

    call: str
    error: str


def trace_failed_syscalls(work: Callable[[], object]) -> list[FailedCall]:
    """The calls of `work` that failed, in their order.

    :raises OSError: tracing is not allowed here
    """
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            if _ptrace(_TRACEME, 0, None, None) == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
                work()
                code = 0
        os._exit(code)
    os.waitpid(child, 0)
    if _ptrace(_SETOPTIONS, child, None, ctypes.c_void_p(_TRACESYSGOOD | _EXITKILL)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"ptrace: {os.strerror(code)}")
    return _follow(child)


def _follow(child: int) -> list[FailedCall]:
    calls: list[FailedCall] = []
    call = ""
    pass_on = 0
    buffer = ctypes.create_string_buffer(_INFO.size)
    while _ptrace(_SYSCALL, child, None, ctypes.c_void_p(pass_on)) == 0:
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            break
        stopped_by = os.WSTOPSIG(status)
        pass_on = 0 if stopped_by == signal.SIGTRAP | 0x80 else stopped_by
        if pass_on:
            continue
        _ptrace(_GET_SYSCALL_INFO, child, ctypes.c_void_p(_INFO.size), buffer)
        kind, _, _, _, first, *arguments = _INFO.unpack(buffer.raw)
        if kind == _ENTRY:
            call = _described(child, first, arguments)
        elif kind == _EXIT and (result := first - (1 << 64) if first >> 63 else first) in range(-4095, 0):
            calls.append(FailedCall(call, errno.errorcode.get(-result, str(-result))))
    return calls


def _described(child: int, number: int, arguments: list[int]) -> str:
    name = _NAMES.get(platform.machine(), {}).get(number, f"call {number}")
    what = ""
    if name in ("shmget", "semget", "msgget"):
        what = f"key {arguments[0] & 0xFFFFFFFF:#x}"
    elif name in ("openat", "mq_open"):
        what = _text(_memory(child, arguments[name == "openat"]))
    elif name == "connect":
        what = _socket_address(_memory(child, arguments[1]))
    return f"{name}({what})"


def _memory(child: int, address: int) -> bytes:
    """Some bytes of the child; fewer where its memory ends."""
    with Path(f"/proc/{child}/mem").open("rb", buffering=0) as memory, suppress(OSError):
        memory.seek(address)
        return memory.read(_TEXT_BYTES)
    return b""


def _text(content: bytes) -> str:
    return content.split(b"\0")[0].decode(errors="replace")


def _socket_address(content: bytes) -> str:
    family = int.from_bytes(content[:2], "little")
    if family == socket.AF_UNIX:
        return _text(content[2:])
    if family == socket.AF_INET:
        return f"{socket.inet_ntoa(content[4:8])}:{int.from_bytes(content[2:4], 'big')}"
    return f"address family {family}"
