"""The commands of an endpoint that loans, commits, borrows and releases: see `conformance.harness.endpoint`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

from conformance.harness.bodies import body, describe
from ipclab.contract.channel import Receiver, Sender
from ipclab.contract.errors import ChannelFull
from ipclab.contract.optional_parts import BorrowReceiver, LoanSender

_KILLED_IN = "/ipclab/"


class InPlaceEndpoint:
    """Messages that are made and read in the memory of the channel."""

    def __init__(self) -> None:
        self._sender: Sender | None = None
        self._receiver: Receiver | None = None
        self._view: memoryview | None = None
        self._slice: memoryview | None = None

    def loan(self, sequence: int, size: int, timeout_s: float = 1.0) -> None:
        """Loan, and make the message in place."""
        assert self._sender
        assert isinstance(self._sender, LoanSender)
        self._view = self._sender.loan(size, timeout_s)
        self._view[:] = body(sequence, size)

    def commit(self) -> None:
        """Send what is loaned."""
        assert self._sender
        assert isinstance(self._sender, LoanSender)
        self._sender.commit()

    def borrow(self, timeout_s: float = 1.0) -> list[int]:
        """Borrow; what it is."""
        assert self._receiver
        assert isinstance(self._receiver, BorrowReceiver)
        self._view = self._receiver.borrow(timeout_s)
        return describe(bytes(self._view))

    def release(self) -> None:
        """Give back what is borrowed."""
        assert self._receiver
        assert isinstance(self._receiver, BorrowReceiver)
        self._receiver.release()

    def look(self) -> list[int]:
        """What the borrowed message is now."""
        assert self._view is not None
        return describe(bytes(self._view))

    def loan_until_full(self, size: int) -> int:
        """Loan and commit numbered messages until there is no room; how many were taken."""
        sequence = 0
        while True:
            try:
                self.loan(sequence, size, 0.1)
            except ChannelFull:
                return sequence
            self.commit()
            sequence += 1

    def keep_a_slice(self) -> None:
        """Do what the contract forbids: keep a slice of the loan or borrow."""
        assert self._view is not None
        self._slice = self._view[:12]

    def use_the_slice(self) -> int:
        """Read it; its bytes."""
        assert self._slice is not None
        return len(bytes(self._slice))

    def die_at(self, line: int, of: str, arguments: dict[str, Any]) -> int:
        """Execute a command, and be killed (SIGKILL) before this line of the lab in it; how many lines it has."""
        passed = 0

        def trace(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal passed
            if event == "line" and _KILLED_IN in frame.f_code.co_filename:
                passed += 1
                if passed == line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            getattr(self, of)(**arguments)
        finally:
            sys.settrace(None)
        return passed
