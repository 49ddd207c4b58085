"""What the lab's ledger says of a student's program."""

from __future__ import annotations

from dataclasses import dataclass

from ipclab.accounting.ledger import LedgerError, corrupt_in, producer_in, streams_in
from ipclab.student import LEDGER
from labctl.lab import state_files
from labctl.terminal.errors import LabError
from labctl.workshop.student.containers import STATE
from labctl.workshop.student.run import Run


@dataclass(frozen=True)
class Judgement:
    """The counts of one run. A number that never arrived is lost, whoever took it."""

    sent: int
    received: int
    lost: int
    duplicated: int
    corrupt: int
    kills: int = 0  # with SIGKILL, while the messages went on
    problem: str | None = None  # the program itself failed: one line


@dataclass(frozen=True)
class Counts:
    """A consumer's ledger at one moment, over all producers."""

    received: int = 0
    duplicated: int = 0
    corrupt: int = 0

    @property
    def arrived(self) -> int:
        """Everything that was handed to the ledger."""
        return self.received + self.duplicated + self.corrupt


def counts(run: Run) -> Counts:
    """The ledger in a container, whether it runs or not; zeros before the first message.

    :raises LabError: the file is no ledger
    """
    content = state_files.read(run.container, STATE).get(LEDGER)
    if content is None:
        return Counts()
    try:
        streams, corrupt = streams_in(content).values(), corrupt_in(content)
    except LedgerError as error:
        raise LabError(f"the ledger of the exercise cannot be read: {error}", hint="check again") from error
    return Counts(sum(s.received for s in streams), sum(s.duplicate for s in streams), corrupt)


def sent(run: Run) -> int:
    """How many messages a producer of the lab has sent.

    :raises LabError: the file is no ledger
    """
    content = state_files.read(run.container, STATE).get("producer.ledger")
    try:
        return producer_in(content)[1] if content else 0
    except LedgerError as error:
        raise LabError(f"the ledger of the exercise cannot be read: {error}", hint="check again") from error
